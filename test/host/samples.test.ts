/** Texts of the host that are read for many containers. */

import t from 'tap'
import type { Bytes, DirectoryFile } from '../../src/host/directory-file.ts'
import { Samples } from '../../src/host/samples.ts'
import { MemoryHost } from '../property/memory-host.ts'

class CountingHost extends MemoryHost {
  readings = 0

  override readFile(file: DirectoryFile): Bytes | undefined {
    this.readings++
    return super.readFile(file)
  }
}

t.test('a text is used for 5 ms', async t => {
  const host = new CountingHost({ 'proc/stat': 'before' })
  const samples = new Samples(host)
  t.equal(samples.text('proc/stat'), 'before')
  host.set({ 'proc/stat': 'after' })
  host.clock.usec += 4999
  t.equal(samples.text('proc/stat'), 'before')
  host.clock.usec += 1
  t.equal(samples.text('proc/stat'), 'after')
  t.equal(host.readings, 2)
})

t.test('the bytes have a version, which stays while the text is the same', async t => {
  const host = new CountingHost({ 'sys/a': 'one', 'sys/b': 'one' })
  const samples = new Samples(host)
  const read = (path: string) => {
    const { buffer, length, version } = samples.bytes(path)
    return { text: Buffer.from(buffer.subarray(0, length)).toString(), version }
  }
  const first = read('sys/a')
  t.equal(first.text, 'one')
  t.not(read('sys/b').version, first.version, 'another file')
  host.clock.advance(1)
  t.same(read('sys/a'), first)
  t.equal(host.readings, 3, 'though it was read')
  const versions = new Set([first.version])
  for (const text of ['two', 'longer '.repeat(50), 'o', '', 'one']) {
    host.set({ 'sys/a': text })
    host.clock.advance(1)
    const next = read('sys/a')
    t.equal(next.text, text)
    t.equal(samples.text('sys/a'), text)
    t.notOk(versions.has(next.version), 'a version comes once')
    versions.add(next.version)
  }
})

t.test('with a witness a text is used for a second', async t => {
  const host = new CountingHost({ rare: 'before' })
  const samples = new Samples(host)
  t.equal(samples.text('rare', 1), 'before')
  host.set({ rare: 'after' })
  host.clock.usec += 999_999
  t.equal(samples.text('rare', 1), 'before')
  host.clock.usec += 1
  t.equal(samples.text('rare', 1), 'after')
  host.set({ rare: 'new' })
  host.clock.usec += 5000
  t.equal(samples.text('rare', 1), 'after')
  t.equal(samples.text('rare', 2), 'new', 'until the witness is another')
  host.set({ rare: 'newer' })
  host.clock.usec += 5000
  t.equal(samples.text('rare'), 'newer', 'or there is none')
})

t.test('a text that cannot be read', async t => {
  const host = new CountingHost({ 'proc/stat': 'text' })
  const samples = new Samples(host)
  t.throws(() => samples.text('nowhere'), { code: 'ENOENT' })
  t.throws(() => samples.bytes('nowhere'), { code: 'ENOENT' })
  t.equal(samples.text('proc/stat'), 'text')
  host.set({ 'proc/stat': undefined })
  host.clock.advance(1)
  t.throws(() => samples.text('proc/stat'), { code: 'ENOENT' })
  t.throws(() => samples.text('proc/stat'), { code: 'ENOENT' }, 'nor has an old one')
  host.set({ 'proc/stat': 'again' })
  t.equal(samples.text('proc/stat'), 'again')
})
