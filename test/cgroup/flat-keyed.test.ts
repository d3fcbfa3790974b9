/** Lines KEY NUMBER, whose order is remembered. */

import t from 'tap'
import { FlatKeyed } from '../../src/cgroup/flat-keyed.ts'

const names = new Map([
  ['anon', 'anon'],
  ['file', 'file'],
] as const)
const parse = (keys: FlatKeyed<'anon' | 'file'>, text: string) =>
  keys.parse(text, { anon: -1, file: -1 })

t.test('lines that stand elsewhere than in the text before', async t => {
  const keys = new FlatKeyed(names)
  t.same(parse(keys, 'anon 1\nother 2\nfile 3\n'), { anon: 1, file: 3 })
  t.same(parse(keys, 'anon 10\nother 20\nfile 30\n'), { anon: 10, file: 30 }, 'the same order')
  t.same(parse(keys, 'file 4\nanon 5\n'), { anon: 5, file: 4 }, 'another one')
  t.same(parse(keys, 'file_thp 6\nfile 7'), { anon: -1, file: 7 }, 'a longer key')
  t.same(parse(keys, ''), { anon: -1, file: -1 })
})

t.test('lines without a number', async t => {
  const keys = new FlatKeyed(names)
  for (const line of ['anon', 'anon ', 'anon x', 'anon -1', 'anon 1 2', '', ' ', 'anon\n1']) {
    t.same(parse(keys, `${line}\nfile 2\n`), { anon: -1, file: 2 }, JSON.stringify(line))
  }
  t.same(parse(keys, 'anon 9007199254740992\nfile 2\n'), { anon: -1, file: 2 }, '2^53')
})

t.test('a million lines without a blank take no longer than those with one', async t => {
  const startMs = performance.now()
  t.same(parse(new FlatKeyed(names), '\n'.repeat(2 ** 20)), { anon: -1, file: -1 })
  t.ok(performance.now() - startMs < 2000, 'each line is looked through once')
})
