import t from 'tap'
import { FlatKeyed } from '../../src/cgroup/flat-keyed.ts'
import { parseBytes, parseLimit, parseMemoryStat, type StatKeys } from '../../src/cgroup/memory.ts'

t.test('what limits nothing is Infinity', async t => {
  for (const text of ['max\n', undefined, '', '-1\n', '9007199254740992\n', '1.5', '1e3', 'none']) {
    t.equal(parseLimit(text), Number.POSITIVE_INFINITY, String(text))
  }
  t.equal(parseLimit('0\n'), 0)
  t.equal(parseLimit(' 4096 '), 4096)
  t.equal(parseLimit('9007199254740991'), 2 ** 53 - 1)
})

t.test('no machine has 2^53 bytes', async t => {
  t.equal(parseBytes('9007199254740991\n'), 2 ** 53 - 1)
  t.equal(parseBytes('9007199254740992\n'), undefined)
  t.equal(parseBytes('18446744073709551612\n'), undefined)
})

t.test('keys of memory.stat are matched whole', async t => {
  const keys: StatKeys = new FlatKeyed(
    new Map([
      ['file', 'fileBytes'],
      ['file_mapped', 'mappedBytes'],
    ]),
  )
  const stat = parseMemoryStat('file_thp 1\nfile 2\nfile_mapped 3\nmyfile 4\nfile\n', keys)
  t.match(stat, { fileBytes: 2, mappedBytes: 3, anonBytes: 0 })
})

t.test('counts that make no sense are 0', async t => {
  const keys: StatKeys = new FlatKeyed(new Map([['anon', 'anonBytes']]))
  for (const text of [
    'anon -4096\n',
    'anon 18446744073709551612',
    'anon',
    'anon x\n',
    '\n\n',
    '',
  ]) {
    t.equal(parseMemoryStat(text, keys).anonBytes, 0, text)
  }
})
