import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { IoV1 } from '../../src/cgroup/v1/io.ts'
import { machine } from '../machines/machine.ts'

const MOUNT = 'sys/fs/cgroup/blkio'

t.test('a cgroup that is gone is missed, a file that it never had is not', async t => {
  const host = machine(t, { [`${MOUNT}/box/blkio.throttle.io_serviced`]: '8:0 Read 1\n' })
  let missed = 0
  const group = () => new Group(host, { version: 1, mountPoint: MOUNT }, '/box', () => missed++)
  const opened = group()
  t.equal(opened.readOnce('blkio.io_serviced'), undefined)
  t.equal(opened.readOnce('blkio.throttle.io_serviced'), '8:0 Read 1\n')
  t.ok(new IoV1(group()).disks()?.has('8:0'))
  t.equal(missed, 0)
  rmSync(join(host.directory, MOUNT, 'box'), { recursive: true })
  t.equal(opened.readOnce('blkio.throttle.io_serviced'), undefined)
  t.equal(missed, 1)
  t.equal(new IoV1(group()).disks(), undefined)
  t.ok(missed > 1, 'also when its files are looked for the first time')
})
