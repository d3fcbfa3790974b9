import t from 'tap'
import { parseMounts } from '../../src/host/mountinfo.ts'
import { findBase, findTarget, isShared } from '../../src/mount/target.ts'

const BEFORE_PIVOT = parseMounts(`
21 26 0:20 / /proc rw - proc proc rw
26 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
64 26 254:0 /b/rootfs /b/root\\040fs rw - ext4 /dev/vda rw
65 64 0:39 / /b/root\\040fs/proc rw shared:7 - proc proc rw
70 64 0:43 / /b/root\\040fs/sys ro - sysfs sysfs ro
`)
const RUNNING = parseMounts(`
64 26 254:0 /b/rootfs / rw - ext4 /dev/vda rw
65 64 0:39 / /proc rw - proc proc rw
66 65 0:50 /containers/x/proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw
67 65 0:51 /null /proc/swaps rw - devtmpfs devtmpfs rw
`)

t.test("before pivot_root the container is below its root file system's path", async t => {
  t.equal(findBase(BEFORE_PIVOT, '/b/root fs'), '/b/root fs')
  t.equal(findBase(RUNNING, '/b/root fs'), '')
  t.equal(findBase(RUNNING, '/'), '')
})

t.test('a target is on procfs or sysfs of the container', async t => {
  const target = findTarget(BEFORE_PIVOT, '/b/root fs', 'proc/meminfo')
  t.match(target, { path: '/b/root fs/proc/meminfo', parent: { id: 65 }, bound: undefined })
  t.ok(target && isShared(target.parent))
  t.match(findTarget(BEFORE_PIVOT, '/b/root fs', 'sys/devices/system/cpu/online'), {
    parent: { id: 70 },
  })
  t.equal(findTarget(RUNNING, '', 'sys/devices/system/cpu/online'), undefined, 'no /sys there')
  t.match(findTarget(RUNNING, '', 'proc/meminfo'), { path: '/proc/meminfo' })
})

t.test('what lies on a target already', async t => {
  t.match(findTarget(RUNNING, '', 'proc/stat'), { bound: { id: 66 } })
  t.equal(findTarget(RUNNING, '', 'proc/swaps'), undefined, "a mask of the runtime's is left alone")
})
