import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Group, losses } from '../../src/cgroup/group.ts'
import { Groups } from '../../src/cgroup/groups.ts'
import { IoV1 } from '../../src/cgroup/v1/io.ts'
import { KeptHost } from '../../src/host/kept-host.ts'
import { machine } from '../machines/machine.ts'

const MOUNT = 'sys/fs/cgroup/blkio'

t.test('a cgroup that is gone is missed, a file that it never had is not', async t => {
  const host = machine(t, { [`${MOUNT}/box/blkio.throttle.io_serviced`]: '8:0 Read 1\n' })
  const group = () => new Group(host, { version: 1, mountPoint: MOUNT }, '/box')
  const opened = group()
  t.equal(opened.readOnce('blkio.io_serviced'), undefined)
  t.equal(opened.readOnce('blkio.throttle.io_serviced'), '8:0 Read 1\n')
  t.ok(new IoV1(group()).disks()?.has('8:0'))
  t.notOk(opened.isMissed)
  const before = losses.count
  rmSync(join(host.directory, MOUNT, 'box'), { recursive: true })
  t.equal(opened.readOnce('blkio.throttle.io_serviced'), undefined)
  t.ok(opened.isMissed)
  t.equal(losses.count, before + 1)
  const another = group()
  t.equal(new IoV1(another).disks(), undefined)
  t.ok(another.isMissed, 'also when its files are looked for the first time')
})

t.test('cgroups side by side share the ones above, until nobody reads them', async t => {
  const host = machine(t, {
    'proc/self/mountinfo': `30 20 0:30 / /${MOUNT} rw - cgroup cgroup rw,blkio\n`,
    [`${MOUNT}/pods/one/f`]: '1\n',
    [`${MOUNT}/pods/two/f`]: '2\n',
    [`${MOUNT}/pods/f`]: 'above\n',
  })
  const groups = new Groups(host)
  const one = groups.find({ blkio: '/pods/one' }, 'blkio')
  const two = groups.find({ blkio: '/pods/two' }, 'blkio')
  t.equal(one?.levels()[1], two?.levels()[1])
  t.equal(one?.levels()[1]?.read('f'), 'above\n')
  t.equal(groups.size, 1)
  one?.close()
  one?.close()
  t.equal(groups.size, 1, 'the other one reads it')
  two?.close()
  t.equal(groups.size, 0)
  t.equal(two?.levels()[1]?.read('f'), 'above\n', 'closed, it is opened again')
})

t.test('a file that was not there is looked for once in 100 ms', async t => {
  const host = machine(t, { [`${MOUNT}/box/there`]: '1\n' })
  const group = new Group(host, { version: 1, mountPoint: MOUNT }, '/box')
  const looks: string[] = []
  const { readFile, has } = host
  host.readFile = file => {
    looks.push(file.name)
    return readFile.call(host, file)
  }
  host.has = path => {
    looks.push('the directory')
    return has.call(host, path)
  }
  t.equal(group.read('later'), undefined)
  t.equal(group.read('never'), undefined)
  t.strictSame(looks.splice(0), ['later', 'the directory', 'never'])
  host.clock.usec += 99_999
  t.equal(group.read('later'), undefined)
  host.clock.usec += 1
  host.set({ [`${MOUNT}/box/later`]: '2\n' })
  t.equal(group.read('later'), '2\n')
  for (let i = 0; i < 50; i++) {
    t.equal(group.read('never'), undefined)
    host.clock.usec += 10_000
  }
  t.strictSame(looks, ['later', 'never', 'never', 'never', 'never', 'never'])
  t.notOk(group.isMissed)
  host.set({ [`${MOUNT}/box`]: undefined })
  host.clock.usec += 400_000
  t.equal(group.read('never'), undefined)
  t.ok(group.isMissed, 'the directory has gone')
})

t.test('files that stay open tell by themselves that another cgroup has the path', async t => {
  const { directory, clock } = machine(t, { [`${MOUNT}/box/f`]: 'own\n' })
  const opened: number[] = []
  t.teardown(() => opened.forEach(closeSync))
  /** So many of these are of a cgroup that was removed. */
  let removed = 0
  let looks = 0
  const open = (path: string) => {
    if (!existsSync(path)) return -constants.errno.ENOENT
    const fd = openSync(path, 'r')
    opened.push(fd)
    return fd
  }
  const pread = (fd: number, buffer: Buffer, at: number, offset: number) =>
    opened.indexOf(fd) < removed
      ? -constants.errno.ENODEV
      : readSync(fd, buffer, at, buffer.length - at, offset)
  const calls = { open, pread, close: () => {}, directories: () => ['below'] }
  const host = new KeptHost(directory, clock, calls, 10)
  const { inode } = host
  host.inode = path => {
    looks++
    return inode.call(host, path)
  }
  const group = new Group(host, { version: 1, mountPoint: MOUNT }, '/box')
  group.identify()
  looks = 0
  for (let i = 0; i < 100; i++) t.equal(group.read('f'), 'own\n')
  t.equal(looks, 1, 'when it was opened')
  t.equal(group.children(10).length, 1)

  const path = join(directory, MOUNT, 'box')
  renameSync(path, `${path}-before`)
  mkdirSync(path)
  removed = opened.length
  writeFileSync(join(path, 'f'), 'of another\n')
  for (let i = 0; i < 3; i++) {
    group.isMissed = false
    t.equal(group.read('f'), undefined)
    t.ok(group.isMissed)
  }
  t.equal(group.readOnce('f'), undefined)
  t.equal(group.read('never'), undefined)
  t.strictSame(group.children(10), [])
  t.notOk(group.exists())
  t.ok(group.isReplaced())
  group.identify()
  t.equal(group.read('f'), 'of another\n')
  rmSync(path, { recursive: true })
  t.notOk(group.exists())
  t.notOk(group.isReplaced(), 'it is gone, and there is no other')
})
