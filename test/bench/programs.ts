/** The benchmark's own programs: those in C, since what measures must cost next to nothing, and one in TypeScript. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compile as compileScript } from '../../scripts/build.ts'
import { compileC, PROGRAMS } from './compile.ts'

export type Programs = Readonly<Record<(typeof PROGRAMS)[number] | 'constant', string>>

/** Compiles them into `directory`. Returns their paths. */
export async function compile(directory: string): Promise<Programs> {
  mkdirSync(directory, { recursive: true })
  const paths = PROGRAMS.map(async name => [name, await compileC(directory, name)] as const)
  const constant = join(directory, 'constant')
  compileScript(constant, undefined, 'test/bench/constant.ts')
  return { ...Object.fromEntries(await Promise.all(paths)), constant } as Programs
}
