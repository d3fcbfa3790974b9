import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Group, losses } from '../../src/cgroup/group.ts'
import { Groups } from '../../src/cgroup/groups.ts'
import { IoV1 } from '../../src/cgroup/v1/io.ts'
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
