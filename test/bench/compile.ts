/** Compiles the programs in C, which chaos tests use, too. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

export const PROGRAMS = ['reader', 'floor', 'launcher', 'fleet'] as const

/** Compiles NAME.c into `directory`. Returns its path. */
export async function compileC(
  directory: string,
  name: (typeof PROGRAMS)[number],
): Promise<string> {
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url))
  const path = join(directory, name)
  await execa('gcc', ['-O2', '-static', '-pthread', '-o', path, source])
  return path
}
