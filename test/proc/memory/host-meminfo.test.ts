/** The host's meminfo, text after text. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { type Field, parseFields } from '../../../src/proc/lines.ts'
import { FIELD, FIELD_CELLS, makeFields } from '../../../src/proc/memory/fields.ts'
import { HostMeminfo } from '../../../src/proc/memory/host-meminfo.ts'
import { changeFields, renderFields } from '../../machines/fields.ts'
import { SAMPLE_MEMINFO } from '../../machines/sample-host.ts'

let version = 0

/** In a buffer that has more behind the text, as that of another file that was read before. */
function update(host: HostMeminfo, text: string): void {
  const buffer = Buffer.from(`${text}${'9'.repeat(50)}\n`)
  host.update({ buffer, length: Buffer.byteLength(text), version: ++version })
}

/** The sample with another text for the number of a line, or with that line more. */
function withText(key: string, number: string): string {
  const line = new RegExp(`(?<=^${key}: *)\\d+`, 'm')
  return line.test(SAMPLE_MEMINFO)
    ? SAMPLE_MEMINFO.replace(line, number)
    : `${SAMPLE_MEMINFO}${key}: ${number} kB\n`
}

/** Without any limit on huge pages. */
function fieldsOf(value: number): Float64Array {
  const fields = makeFields().fill(value)
  for (const [key, cell] of FIELD_CELLS) if (key.startsWith('Huge')) fields[cell] = Number.NaN
  return fields
}

/** What `HostMeminfo.render` gives, made from strings. */
function plainly(text: string, fields: Float64Array): string {
  const memTotal = fields[FIELD.MemTotal] ?? 0
  const seen = ({ key, value, unit }: Field) => {
    const own = fields[FIELD_CELLS.get(key) ?? -1] ?? Number.NaN
    if (!Number.isNaN(own)) return own
    const isMachines =
      unit === '' || /^(VmallocTotal|VmallocChunk|Hugepagesize|Hugetlb|DirectMap.*)$/.test(key)
    return isMachines ? value : Math.min(value, memTotal)
  }
  const shown = (field: Field): Field => {
    const { key, unit } = field
    return seen(field) === field.value ? field : { key, unit, value: seen(field) }
  }
  return renderFields(parseFields(text).map(shown))
}

function isPlain(host: HostMeminfo, text: string): boolean {
  update(host, text)
  for (const { key } of parseFields(text)) {
    if (host.get(key) !== parseFields(text).find(field => field.key === key)?.value) return false
  }
  return [0, 7, 99_999_999, 100_000_000, 2 ** 53 - 1, 2 ** 53].every(value => {
    const fields = fieldsOf(value)
    return host.render(fields).toString() === plainly(text, fields)
  })
}

t.test('numbers that change, in their columns or beyond', async t => {
  const host = new HostMeminfo()
  for (const text of [
    SAMPLE_MEMINFO,
    SAMPLE_MEMINFO,
    changeFields(SAMPLE_MEMINFO, { MemFree: 1, SwapTotal: 0 }),
    changeFields(SAMPLE_MEMINFO, { MemFree: 123_456_789, DirectMap4k: 12 }),
    changeFields(SAMPLE_MEMINFO, { MemFree: 987_654_321, DirectMap4k: 99_999_999 }),
    changeFields(SAMPLE_MEMINFO, { DirectMap4k: 123_456_789 }),
    changeFields(SAMPLE_MEMINFO, { DirectMap4k: 987_654_321, HugePages_Free: 123_456 }),
    changeFields(SAMPLE_MEMINFO, { DirectMap4k: 0, HugePages_Free: 8, VmallocUsed: 2 ** 53 - 1 }),
    SAMPLE_MEMINFO,
    withText('HugePages_Rsvd', '18446744073709551615'),
    withText('HugePages_Rsvd', '18446744073709551614'),
    withText('HugePages_Rsvd', '                   0'),
    withText('DirectMap4k', '18446744073709550152'),
    withText('DirectMap4k', '18446744073709550148'),
    withText('DirectMap4k', '              300000'),
    withText('MemFree', '9007199254740993'),
    withText('MemFree', ' 900719925474099'),
    withText('FooPages', '9007199254740993'),
    SAMPLE_MEMINFO,
    readFileSync('/proc/meminfo', 'utf8'),
  ]) {
    t.ok(isPlain(host, text), text)
  }
})

t.test('lines that change', async t => {
  const host = new HostMeminfo()
  for (const text of [
    SAMPLE_MEMINFO,
    SAMPLE_MEMINFO.replace('MemFree', 'MemFrei'),
    SAMPLE_MEMINFO.replace('MemFrei', 'MemFree'),
    SAMPLE_MEMINFO.replace('MemFree: ', 'MemFree:\t'),
    SAMPLE_MEMINFO.replace(/(?<=MemFree: *)\d/, '-'),
    SAMPLE_MEMINFO.replace(/(?<=MemFree: *)\d+/, digits => '0'.repeat(digits.length)),
    SAMPLE_MEMINFO.replace(/(?<=MemFree: *\d+) kB/, ' MB'),
    SAMPLE_MEMINFO.trimEnd(),
    `${SAMPLE_MEMINFO.trimEnd()} `,
    SAMPLE_MEMINFO.replaceAll('\n', '\r\n'),
    SAMPLE_MEMINFO.replace('MemFree', 'Mem\u00e9'),
    SAMPLE_MEMINFO.replace('MemFree', 'Mem\u00e8'),
    `no number\n${SAMPLE_MEMINFO}`,
    `no nvmber\n${SAMPLE_MEMINFO}`,
    `${SAMPLE_MEMINFO}${SAMPLE_MEMINFO}`,
    '',
    SAMPLE_MEMINFO,
  ]) {
    t.ok(isPlain(host, text), JSON.stringify(text))
  }
})

t.test('a text is read once', async t => {
  const host = new HostMeminfo()
  const sample = { buffer: Buffer.from('MemTotal: 5 kB\n'), length: 15, version: ++version }
  host.update(sample)
  sample.buffer.write('7', 10)
  host.update(sample)
  t.equal(host.get('MemTotal'), 5)
  host.update({ ...sample, version: ++version })
  t.equal(host.get('MemTotal'), 7)
  t.equal(host.get('MemFree'), undefined)
})

t.test('whatever was read before, a text says the same', async t => {
  const key = fc.constantFrom(
    'MemTotal',
    'A',
    'DirectMap4k',
    'HugePages_Total',
    'Hugetlb',
    'Mapped',
  )
  const value = fc.oneof(
    fc.nat(9),
    fc.nat(10 ** 9),
    fc.maxSafeNat(),
    fc.bigInt(2n ** 53n - 2n, 2n ** 64n + 1n),
  )
  const unit = fc.constantFrom(' kB', ' kB', '')
  const kernelLine = fc
    .tuple(key, value, unit)
    .map(([key, value, unit]) => `${`${key}:`.padEnd(16)}${String(value).padStart(8)}${unit}`)
  const broken = fc.string({ unit: fc.constantFrom(...'A: -1k\té'), maxLength: 9 })
  const line = fc.oneof({ weight: 9, arbitrary: kernelLine }, { weight: 1, arbitrary: broken })
  const text = fc.array(line, { maxLength: 4 }).map(lines => lines.join('\n'))
  const change = fc.tuple(fc.nat(120), fc.constantFrom(...'0123456789 :k'))
  const changes = fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 5 })
  const texts = fc.tuple(text, changes).map(([text, changes]) => {
    const texts = [text]
    for (const each of changes) texts.push(changed(texts.at(-1) ?? '', each))
    return texts
  })
  const property = fc.property(texts, texts => {
    const host = new HostMeminfo()
    return texts.every(text => isPlain(host, text))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }))
})

/** The text with other characters in some places. */
function changed(text: string, changes: readonly (readonly [at: number, char: string])[]): string {
  const chars = [...text]
  for (const [at, char] of changes) if (at < chars.length) chars[at] = char
  return chars.join('')
}
