/**
 * All tests that start no container, in one process: starting one for each file takes longer than the tests do.
 * The name puts it before those of e2e, which it runs beside.
 */

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SELF = 'containerless.test.ts'

// Of all together. That of .taprc holds for each test.
t.setTimeout(1_800_000)

const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter(
    name =>
      name.endsWith('.test.ts') && !/^(e2e|chaos|hostile|packages)\//.test(name) && name !== SELF,
  )
  .sort()

for (const name of files) {
  // One that cannot be loaded keeps the others from nothing.
  await import(`./${name}`).catch(error => t.error(error, name))
}
