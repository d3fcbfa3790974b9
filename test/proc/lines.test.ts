import { readFileSync } from 'node:fs'
import t from 'tap'
import { fieldValue, parseFields } from '../../src/proc/lines.ts'
import { renderFields } from '../machines/fields.ts'

t.test('fields keep their order and their unit', async t => {
  t.same(parseFields('MemTotal:       16384000 kB\nHugePages_Total:       8\n'), [
    { key: 'MemTotal', value: 16384000, unit: ' kB' },
    { key: 'HugePages_Total', value: 8, unit: '' },
  ])
})

t.test('lines that hold no number are no fields', async t => {
  const text = '\nNothing\nA:\nB: kB\nC: -1 kB\nD: 99999999999999999999 kB\nE: 1 kB'
  t.same(parseFields(text), [{ key: 'E', value: 1, unit: ' kB' }])
  t.same(parseFields(''), [])
})

t.test('a number beyond the exact ones keeps its digits', async t => {
  const text = [
    'DirectMap4k:    18446744073709550152 kB\n',
    'HugePages_Rsvd:    18446744073709551615\n',
    'VmallocTotal:   9007199254740993 kB\n',
    'VmallocUsed:    9007199254740991 kB\n',
  ].join('')
  const value = Number.MAX_SAFE_INTEGER
  t.same(parseFields(text), [
    { key: 'DirectMap4k', value, unit: ' kB', digits: '18446744073709550152' },
    { key: 'HugePages_Rsvd', value, unit: '', digits: '18446744073709551615' },
    { key: 'VmallocTotal', value, unit: ' kB', digits: '9007199254740993' },
    { key: 'VmallocUsed', value, unit: ' kB' },
  ])
  t.equal(renderFields(parseFields(text)), text)
  t.same(parseFields('A: 18446744073709551616 kB\n'), [], 'the kernel has no such number')
})

t.test('a million lines without a colon take no longer than those with one', async t => {
  const startMs = performance.now()
  t.same(parseFields('\n'.repeat(2 ** 20)), [])
  t.ok(performance.now() - startMs < 2000, 'each line is looked through once')
})

t.test('long names and numbers push what follows to the right', async t => {
  for (const line of [
    'MemTotal:       16384000 kB\n',
    'VmallocTotal:   34359738367 kB\n',
    'HardwareCorrupted:     0 kB\n',
    'HardwareCorrupted: 123456 kB\n',
    'HugePages_Total:   12345\n',
    'HugePages_Total:   123456\n',
  ]) {
    t.equal(renderFields(parseFields(line)), line)
  }
})

t.test('a key is matched whole', async t => {
  const fields = parseFields('Hugepagesize: 2048 kB\nHugetlb: 4 kB\nHuge: 1 kB\n')
  t.equal(fieldValue(fields, 'Huge'), 1)
  t.equal(fieldValue(fields, 'huge'), undefined)
})

t.test("this machine's own meminfo survives a round trip", async t => {
  const text = readFileSync('/proc/meminfo', 'utf8')
  t.equal(renderFields(parseFields(text)), text)
})
