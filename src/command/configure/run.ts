/** Runs the programs of a runtime, which tell what it would make of a file. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childProcess } from '../../sys/child-process.ts'

export interface Ran {
  /** `undefined` where there is no such program, or it was killed. */
  status: number | undefined
  isMissing: boolean
  stdout: string
  stderr: string
}

/** A daemon that hangs must not keep a package from being installed. */
const PATIENCE_MS = 60_000

export function run(program: string, args: readonly string[]): Ran {
  const { status, error, stdout, stderr } = childProcess().spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  const isMissing = error !== undefined && 'code' in error && error.code === 'ENOENT'
  return {
    status: status ?? undefined,
    isMissing,
    stdout: stdout ?? '',
    stderr: stderr || (error?.message ?? ''),
  }
}

/** The last line that a program wrote, without its time and level: the reason why it failed. */
export function reasonOf({ stdout, stderr }: Ran): string {
  const line = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? ''
  return /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line
}

/** Calls `action` with the paths of files that hold the texts, and removes them afterwards. */
export function withTemporaryFiles<Result>(
  texts: Readonly<Record<string, string>>,
  action: (pathOf: (name: string) => string) => Result,
): Result {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-configure-'))
  const pathOf = (name: string) => join(directory, name)
  try {
    for (const [name, text] of Object.entries(texts)) writeFileSync(pathOf(name), text)
    return action(pathOf)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
