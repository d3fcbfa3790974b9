/** The Bun of another machine, which becomes part of the executable for that machine. */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { PROJECT } from './release.ts'

const CACHE = join(PROJECT, 'node_modules/.cache/procveil')

interface Lock {
  packages: Record<string, { version: string; integrity: string } | undefined>
}

/**
 * Returns the path of the executable in the package `@oven/<name>`, of the version and with the bytes that
 * package-lock.json has. npm installs only the package for the machine that it runs on.
 */
export function fetchRunTime(name: string): string {
  const lock: Lock = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'))
  const locked = lock.packages[`node_modules/@oven/${name}`]
  if (locked === undefined) throw new Error(`Cannot find @oven/${name} in package-lock.json`)
  const directory = join(CACHE, `${name}-${locked.version}`)
  const executable = join(directory, 'package/bin/bun')
  if (existsSync(executable)) return executable
  mkdirSync(directory, { recursive: true })
  const { stdout } = execaSync(
    'npm',
    ['pack', '--json', '--pack-destination', directory, `@oven/${name}@${locked.version}`],
    { cwd: directory },
  )
  const archive = join(directory, readFileName(stdout))
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (found !== locked.integrity) {
    throw new Error(
      `Cannot use @oven/${name}: it is ${found}, and package-lock.json has ${locked.integrity}`,
    )
  }
  execaSync('tar', ['--extract', '--file', archive, '--directory', directory, 'package/bin/bun'])
  rmSync(archive)
  return executable
}

/** npm 11 prints an object by package, earlier ones a list. */
function readFileName(json: string): string {
  const [packed] = Object.values(JSON.parse(json) as Record<string, { filename: string }>)
  if (packed === undefined) throw new SyntaxError(`Cannot parse what npm pack printed: ${json}`)
  return packed.filename
}
