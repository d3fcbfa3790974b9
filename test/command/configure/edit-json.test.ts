import t from 'tap'
import { removeHooks } from '../../../src/command/configure/edit-hooks.ts'
import { insertInJson, parseSettings, setInJson } from '../../../src/command/configure/edit-json.ts'

const ours = { path: '/usr/libexec/procveil/procveil' }
const theirs = { path: '/usr/bin/theirs' }

t.test('ours are taken out of a list wherever they stand', async t => {
  for (const list of [
    [ours],
    [ours, theirs],
    [theirs, ours],
    [theirs, ours, theirs],
    [ours, ours],
  ]) {
    for (const indent of [undefined, 2, '\t']) {
      const text = JSON.stringify({ a: { prestart: list, other: 1 } }, undefined, indent)
      const left = removeHooks('/f', text, ['a'])
      const wanted = { a: { prestart: list.filter(each => each === theirs), other: 1 } }
      t.strictSame(JSON.parse(left), wanted, text)
    }
  }
})

t.test('a value is set, changed and removed in any layout', async t => {
  for (const indent of [undefined, 2, 4, '\t']) {
    const text = JSON.stringify({ a: 1, b: { c: [1] } }, undefined, indent)
    t.strictSame(JSON.parse(setInJson('/f', text, ['b', 'd'], 2)), { a: 1, b: { c: [1], d: 2 } })
    t.strictSame(JSON.parse(setInJson('/f', text, ['x', 'y'], [])), {
      a: 1,
      b: { c: [1] },
      x: { y: [] },
    })
    t.strictSame(JSON.parse(setInJson('/f', text, ['b'], undefined)), { a: 1 })
    t.strictSame(JSON.parse(insertInJson('/f', text, ['b', 'c', 1], 2)), { a: 1, b: { c: [1, 2] } })
  }
})

t.test('a comment is an error only where the daemon has none', async t => {
  t.strictSame(parseSettings('/f', '{"a": 1 /* one */}', true), { a: 1 })
  t.throws(() => parseSettings('/f', '{"a": 1 /* one */}', false), { message: /line 1, column 9/ })
})
