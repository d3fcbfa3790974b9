/**
 * What an end-to-end test needs of the machine. Where something is missing the test is skipped with the reason;
 * with PROCVEIL_NO_SKIP set, as in continuous integration, that is a failure.
 */

import { accessSync, constants, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const EXECUTABLE = fileURLToPath(new URL('../../dist/procveil', import.meta.url))
export const BUSYBOX = '/bin/busybox'

/** Options for `t.test`: `{ skip: reason }` or nothing. */
export function needs(...programs: string[]): { skip?: string } {
  return skipFor(findMissing(programs))
}

/** The same for anything else that is missing, or nothing. */
export function skipFor(missing: string | undefined): { skip?: string } {
  if (missing === undefined) return {}
  if (process.env.PROCVEIL_NO_SKIP) throw new Error(`Cannot run the end-to-end tests: ${missing}`)
  return { skip: missing }
}

function findMissing(programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/fuse')) return 'needs /dev/fuse'
  if (!existsSync(EXECUTABLE)) return 'needs dist/procveil: npm run build'
  if (!existsSync(BUSYBOX)) return 'needs busybox: apt-get install busybox-static'
  const program = programs.find(name => !isInPath(name))
  if (program === undefined) return undefined
  return `needs ${program}: apt-get install ${PACKAGES[program] ?? program}`
}

/** Of programs that are called otherwise. */
const PACKAGES: Readonly<Record<string, string>> = { docker: 'docker.io', dockerd: 'docker.io' }

export function isInPath(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some(directory => {
    try {
      accessSync(`${directory}/${name}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Runs again until it does not throw: for what the kernel or another process does a moment later. */
export async function retry<T>(action: () => T | Promise<T>, timeoutMs = 10_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
