/**
 * Compiles dist/procveil, run by Bun. The two --no-compile-autoload flags are security: without them the executable
 * runs a bunfig.toml preload and loads a .env from its working directory, which for some hook stages is the container's
 * root file system.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The version that package.json has. */
export const { version: VERSION } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  version: string
}

interface OtherMachine {
  /** As in `bun build --target`. */
  target: string
  /** The Bun of that machine. */
  runTime: string
}

/** Compiles the executable, or that of another `entry`, for this machine or another. The same sources give the same bytes. Throws when that fails. */
export function compile(outfile: string, other?: OtherMachine, entry = 'src/main.ts'): void {
  const build = spawnSync(
    process.execPath,
    [
      'build',
      entry,
      '--compile',
      '--minify',
      '--bytecode',
      // A hook loads no more than its own part of the program.
      '--format=esm',
      '--splitting',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      '--define',
      `PROCVEIL_VERSION=${JSON.stringify(VERSION)}`,
      ...(other === undefined
        ? []
        : [`--target=${other.target}`, `--compile-executable-path=${other.runTime}`]),
      '--outfile',
      outfile,
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  if (build.error) throw build.error
  if (build.status !== 0) throw new Error(`Cannot compile ${outfile}: see the messages above`)
}

if (import.meta.main) {
  try {
    compile('dist/procveil')
  } catch (error) {
    process.stderr.write(`build: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
