/** What a guest gets: the executable, Node, and the tests as plain JavaScript. It is too slow to compile them. */

import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import { EXECUTABLE } from '../kit/requirements.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** These need more than the guest has: they show nothing of the kernel that the others do not. */
const NOT_IN_GUESTS = ['stress.test.ts']

/** Fills an empty directory; returns the names of the test files in its `test/guest`. */
export function fillShare(share: string): string[] {
  const list = (directory: string, end: string) =>
    readdirSync(join(PROJECT, directory))
      .filter(name => name.endsWith(end))
      .sort()
  const e2e = list('test/e2e', '.test.ts').filter(name => !NOT_IN_GUESTS.includes(name))
  const own = list('test/vm/tests', '.ts')
  const sources = [
    ...e2e.map(name => `test/e2e/${name}`),
    ...own.map(name => `test/vm/tests/${name}`),
    'test/vm/guest.ts',
  ]
  // Two levels below the share, like the tests themselves: they look for ../../dist.
  const naming = ['--entry-naming', 'test/guest/[name].[ext]']
  execaSync(
    process.execPath,
    ['scripts/bun.mjs', 'build', '--target', 'node', '--outdir', share, ...naming, ...sources],
    { cwd: PROJECT },
  )
  writeFileSync(join(share, 'package.json'), '{"type":"module"}')
  // tap asks for it by name at run time; it prints React elements, of which there are none.
  const printer = join(share, 'node_modules/react-element-to-jsx-string')
  mkdirSync(printer, { recursive: true })
  writeFileSync(join(printer, 'index.js'), 'module.exports = {}\n')
  mkdirSync(join(share, 'dist'))
  cpSync(EXECUTABLE, join(share, 'dist/procveil'))
  cpSync(join(PROJECT, 'hooks'), join(share, 'hooks'), { recursive: true })
  cpSync(join(PROJECT, 'test/kit/add-hooks.mjs'), join(share, 'test/guest/add-hooks.mjs'))
  cpSync(process.execPath, join(share, 'node'), { dereference: true })
  chmodSync(join(share, 'node'), 0o755)
  return [...e2e, ...own].map(name => name.replace(/ts$/, 'js'))
}
