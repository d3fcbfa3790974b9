import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { OutputFolder } from '../../src/host/output-folder.ts'
import { RecordingHost, stoppedClock } from '../../src/host/recording.ts'
import { machine } from '../machines/machine.ts'

function place(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-output-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

t.test('a folder that others may change is refused', async t => {
  const directory = place(t)
  const open = join(directory, 'open')
  mkdirSync(open)
  for (const mode of [0o775, 0o757, 0o1777]) {
    chmodSync(open, mode)
    t.throws(() => new OutputFolder(open), /users other than you may change it/)
  }
  const full = join(directory, 'full')
  mkdirSync(join(full, 'x'), { recursive: true, mode: 0o700 })
  t.throws(() => new OutputFolder(full), /is not empty; name another folder/)
  const link = join(directory, 'link')
  symlinkSync(directory, link)
  for (const name of [link, `${link}/`]) t.throws(() => new OutputFolder(name), /no link to one/)
})

t.test('files go where the folder was, whatever has its name by then', async t => {
  const directory = place(t)
  const [name, moved, target] = ['name', 'moved', 'target'].map(each => join(directory, each)) as [
    string,
    string,
    string,
  ]
  const folder = new OutputFolder(name)
  t.teardown(() => folder.close())
  t.equal(statSync(name).mode & 0o777, 0o700)
  renameSync(name, moved)
  mkdirSync(target)
  symlinkSync(target, name)
  folder.write('proc/stat', 'cpu', 0o400)
  folder.write('sys/../../../etc/passwd', 'x', 0o644)
  t.equal(readFileSync(join(moved, 'proc/stat'), 'utf8'), 'cpu')
  t.equal(readFileSync(join(moved, 'etc/passwd'), 'utf8'), 'x', '.. stays below')
  t.strictSame(statSync(target).nlink, 2, 'nothing is in the other one')
  t.throws(() => folder.write('proc/stat', 'again', 0o400), { code: 'EEXIST' })
})

t.test('a file is saved with the rights that it has', async t => {
  const host = machine(t, { 'proc/slabinfo': 'slabs', 'proc/stat': 'cpu' })
  chmodSync(host.path('proc/slabinfo'), 0o400)
  chmodSync(host.path('proc/stat'), 0o444)
  const recording = new RecordingHost(
    host.directory,
    stoppedClock({ monotonicUsec: 0, boottimeUsec: 0 }),
  )
  for (const path of ['proc/stat', 'proc/slabinfo', 'proc/slabinfo']) recording.read(path)
  const name = join(place(t), 'saved')
  const folder = new OutputFolder(name)
  t.teardown(() => folder.close())
  t.strictSame(
    recording.save(folder, (_, text) => text),
    ['proc/slabinfo', 'proc/stat'],
  )
  t.equal(statSync(join(name, 'proc/slabinfo')).mode & 0o777, 0o400)
  t.equal(statSync(join(name, 'proc/stat')).mode & 0o777, 0o444)
})

t.test('a cgroup of which no file was read is saved as a directory', async t => {
  const mountPoint = 'sys/fs/cgroup'
  const host = machine(t, { [`${mountPoint}/box/cgroup.procs`]: '' })
  const recording = new RecordingHost(host.directory, host.clock)
  new Group(recording, { version: 2, mountPoint }, '/box').identify()
  new Group(recording, { version: 2, mountPoint }, '/none').identify()
  const name = join(place(t), 'captured')
  const folder = new OutputFolder(name)
  t.teardown(() => folder.close())
  t.strictSame(
    recording.save(folder, (_, text) => text),
    [],
  )
  t.strictSame(readdirSync(join(name, mountPoint)), ['box'])
})
