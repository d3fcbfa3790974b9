/** Every captured machine in fixtures/hosts, live capture or written from a rule, shows what its `expect` folder has. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { FILES } from '../src/proc/files.ts'
import { openCaptured } from '../src/view/captured.ts'

const HOSTS = fileURLToPath(new URL('../fixtures/hosts', import.meta.url))

for (const name of readdirSync(HOSTS)) {
  const folder = join(HOSTS, name)
  for (const id of readdirSync(join(folder, 'containers'))) {
    t.test(`${name}: ${id}`, async t => {
      const view = openCaptured(folder, id)
      const expected = listFiles(join(folder, 'containers', id, 'expect'))
      t.ok(expected.length > 0, 'something is expected')
      for (const path of expected) {
        const file = FILES.find(each => each.path === path)
        const text = readFileSync(join(folder, 'containers', id, 'expect', path), 'utf8')
        t.equal(file?.render(view).toString(), text, path)
      }
    })
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
}
