import { execFileSync } from 'node:child_process'
import t from 'tap'
import { loneFile, textOf } from '../../src/host/directory-file.ts'
import { readMountsOf } from '../../src/host/mounts-of.ts'
import { RecordingHost } from '../../src/host/recording.ts'
import { machine } from '../machines/machine.ts'

const TOO_LARGE = { code: 'EFBIG' }

t.test('a file is read up to a limit', async t => {
  const host = machine(t, { f: 'one\ntwo\n' })
  t.equal(host.read('f', 8), 'one\ntwo\n')
  t.throws(() => host.read('f', 7), { ...TOO_LARGE, message: /f: it has more than 7 bytes$/ })
  t.equal(host.tryRead('f', 7), undefined)
  t.strictSame(host.readBeginning('f', 8), { text: 'one\ntwo\n', isWhole: true })
  t.strictSame(host.readBeginning('f', 7), { text: 'one\n', isWhole: false }, 'whole lines')
  t.strictSame(host.readBeginning('f', 3), { text: '', isWhole: false })
  t.strictSame(host.readBeginning('f', 0), { text: '', isWhole: false })
  t.throws(() => host.readBeginning('nowhere', 1), { code: 'ENOENT' })
  t.equal(textOf(host.readFile(loneFile('f', false, 7))), undefined)
  t.equal(textOf(host.readFile(loneFile('f', true, 7))), 'one\n')
})

t.test('a file without an end is read up to the limit', async t => {
  const host = machine(t, {})
  execFileSync('ln', ['-s', '/dev/zero', `${host.directory}/zero`])
  t.throws(() => host.read('zero', 100_000), TOO_LARGE)
})

const mounts = (count: number) => '9 1 0:5 / /m rw - tmpfs x rw\n'.repeat(count)

t.test('a container may have 256 KiB of mounts besides those of the host', async t => {
  const host = machine(t, { 'proc/self/mountinfo': mounts(20), 'proc/42/mountinfo': mounts(10) })
  t.equal(readMountsOf(host, 42), mounts(10))
  const most = Math.floor((256 * 1024) / mounts(1).length) + 20
  host.set({ 'proc/42/mountinfo': mounts(most) })
  t.equal(readMountsOf(host, 42).length, mounts(most).length)
  t.equal(
    readMountsOf(new RecordingHost(host.directory, host.clock), 42).length,
    mounts(most).length,
  )
  host.set({ 'proc/42/mountinfo': mounts(most + 1) })
  t.throws(() => readMountsOf(host, 42), TOO_LARGE)
  t.throws(() => readMountsOf(host, 43), { code: 'ENOENT' })
})

t.test('3000 mounts with sources of 4000 blanks take neither time nor memory', async t => {
  const host = machine(t, { 'proc/self/mountinfo': mounts(20) })
  const line = `9 1 0:5 / /m rw - tmpfs ${'\\040'.repeat(4000)} rw\n`
  host.set({ 'proc/42/mountinfo': line.repeat(3000) })
  const before = process.memoryUsage()
  const startMs = performance.now()
  for (let i = 0; i < 10; i++) t.throws(() => readMountsOf(host, 42), TOO_LARGE)
  const took = performance.now() - startMs
  t.ok(took < 500, `10 readings took ${took} ms`)
  const grown = process.memoryUsage().rss - before.rss
  t.ok(grown < 32 * 2 ** 20, `the process grew by ${grown} bytes`)
})
