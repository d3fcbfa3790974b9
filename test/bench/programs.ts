/** The benchmark's own programs: those in C, since what measures must cost next to nothing, and those in TypeScript. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compile as compileScript } from '../../scripts/build.ts'
import { compileC, PROGRAMS } from './compile.ts'

export type Programs = Readonly<
  Record<(typeof PROGRAMS)[number] | (typeof SCRIPTS)[number], string>
>

/** Compiled as the executable is. */
const SCRIPTS = ['constant', 'empty'] as const

/** Compiles them into `directory`. Returns their paths. */
export async function compile(directory: string): Promise<Programs> {
  mkdirSync(directory, { recursive: true })
  const paths = PROGRAMS.map(async name => [name, await compileC(directory, name)] as const)
  const scripts = SCRIPTS.map(name => {
    const path = join(directory, name)
    compileScript(path, undefined, `test/bench/${name}.ts`)
    return [name, path] as const
  })
  return Object.fromEntries([...(await Promise.all(paths)), ...scripts]) as Programs
}
