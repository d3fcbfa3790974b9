/**
 * All tests that start no container, in one process: starting one for each file takes longer than the tests do.
 * The name puts it before those of e2e, which it runs beside.
 */

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { size } from './kit/size.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SELF = 'containerless.test.ts'

t.setTimeout(size({ short: 240_000, long: 1_200_000 }))

const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts') && !/^(e2e|chaos)\//.test(name) && name !== SELF)
  .sort()

for (const name of files) {
  // One that cannot be loaded keeps the others from nothing.
  await import(`./${name}`).catch(error => t.error(error, name))
}
