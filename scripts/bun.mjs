// Runs the Bun of devDependencies, also where npm did not run its install script: that script only
// moves the executable from @oven/bun-linux-* to node_modules/bun/bin.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))

/** Path of the Bun executable that runs on this machine. Throws when none was installed. */
export function findBun() {
  const platforms = existsSync(`${modules}@oven`) ? readdirSync(`${modules}@oven`).sort() : []
  const candidates = [
    `${modules}bun/bin/bun.exe`,
    ...platforms.map(name => `${modules}@oven/${name}/bin/bun`),
  ]
  const works = candidates.find(path => spawnSync(path, ['--version']).status === 0)
  if (works === undefined) {
    throw new Error(`Cannot find Bun: none of ${candidates.join(', ')} runs; run npm ci`)
  }
  return works
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const run = spawnSync(findBun(), process.argv.slice(2), { stdio: 'inherit' })
  if (run.error) throw run.error
  process.exit(run.status ?? 1)
}
