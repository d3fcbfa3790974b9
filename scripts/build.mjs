// Compiles dist/procveil. The two --no-compile-autoload flags are security: without them the executable
// runs a bunfig.toml preload and loads a .env from its working directory, which for some hook stages
// is the container's root file system.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findBun } from './bun.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

const build = spawnSync(
  findBun(),
  [
    'build',
    'src/main.ts',
    '--compile',
    '--minify',
    '--bytecode',
    // A hook loads no more than its own part of the program.
    '--format=esm',
    '--splitting',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--define',
    `PROCVEIL_VERSION=${JSON.stringify(version)}`,
    '--outfile',
    'dist/procveil',
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
)
if (build.error) throw build.error
process.exit(build.status ?? 1)
