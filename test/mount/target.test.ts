import t from 'tap'
import { MountTree, parseMounts } from '../../src/host/mountinfo.ts'
import { findBase, findTarget, isShared } from '../../src/mount/target.ts'

const tree = (mountinfo: string) => new MountTree(parseMounts(mountinfo))

const BEFORE_PIVOT = tree(`
21 26 0:20 / /proc rw - proc proc rw
26 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
64 26 254:0 /b/rootfs /b/root\\040fs rw - ext4 /dev/vda rw
65 64 0:39 / /b/root\\040fs/proc rw shared:7 - proc proc rw
70 64 0:43 / /b/root\\040fs/sys ro - sysfs sysfs ro
`)
const RUNNING = tree(`
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

/** The lines are in an order in which mount(8) --move and propagation leave them, not in that of the layers. */
t.test('what lies on what is said by the parents, not by the order', async t => {
  const moved = tree(`
66 65 0:50 /containers/x/proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw
65 60 0:39 / /proc rw - proc proc rw
60 64 0:44 / /proc rw - tmpfs tmpfs rw
64 26 254:0 /b/rootfs / rw - ext4 /dev/vda rw
`)
  t.equal(findBase(moved, '/'), '')
  t.match(findTarget(moved, '', 'proc/stat'), { parent: { id: 65 }, bound: { id: 66 }, layers: 1 })
  t.match(findTarget(moved, '', 'proc/meminfo'), { parent: { id: 65 }, bound: undefined })

  const covered = tree(`
64 26 254:0 /b/rootfs / rw - ext4 /dev/vda rw
60 65 0:44 / /proc rw - tmpfs tmpfs rw
65 64 0:39 / /proc rw - proc proc rw
`)
  t.equal(findTarget(covered, '', 'proc/meminfo'), undefined, 'the tmpfs lies on the proc')
  t.equal(findBase(covered, '/b/rootfs'), '')
})

t.test('layers on a file are counted from the top', async t => {
  const layers = (...parents: [id: number, parent: number, fsType: string][]) =>
    findTarget(
      tree(`
64 26 254:0 / / rw - ext4 /dev/vda rw
65 64 0:39 / /proc rw - proc proc rw
${parents.map(([id, parent, type]) => `${id} ${parent} 0:50 /f /proc/stat rw - ${type} x rw`).join('\n')}
`),
      '',
      'proc/stat',
    )
  t.match(layers([71, 70, 'fuse.lxcfs'], [70, 65, 'fuse.lxcfs']), { bound: { id: 71 }, layers: 2 })
  t.match(layers([72, 71, 'fuse.lxcfs'], [71, 70, 'tmpfs'], [70, 65, 'fuse.lxcfs']), {
    bound: { id: 72 },
    layers: 1,
  })
  t.equal(layers([70, 71, 'tmpfs'], [71, 65, 'fuse.lxcfs']), undefined, 'a mask on ours')
  t.match(layers([70, 65, 'tmpfs'], [71, 70, 'fuse.lxcfs']), { bound: { id: 71 }, layers: 1 })
})

t.test('what a later mount has covered is not found', async t => {
  const mounts = `
26 1 254:0 / / rw - ext4 /dev/vda rw
64 26 0:50 / /b/rootfs rw - overlay overlay rw
65 64 0:39 / /b/rootfs/proc rw - proc proc rw
`
  t.equal(findBase(tree(mounts), '/b/rootfs'), '/b/rootfs')
  t.equal(findBase(tree(`${mounts}66 26 0:51 / /b rw - tmpfs tmpfs rw\n`), '/b/rootfs'), '')
  const root = `${mounts}66 26 0:51 / / rw - tmpfs tmpfs rw\n`
  t.equal(
    findBase(tree(root), '/b/rootfs'),
    '/b/rootfs',
    'a mount on the root itself is not entered',
  )
})

const CPU = '/sys/devices/system/cpu'

t.test('a directory of ours lies over the binds of its files, and both are found', async t => {
  const mounts = tree(`
64 26 254:0 / / rw - ext4 /dev/vda rw
65 64 0:39 / /proc rw - proc proc rw
70 64 0:43 / /sys ro - sysfs sysfs ro
71 70 0:50 /containers/x${CPU}/online ${CPU}/online rw - fuse.lxcfs lxcfs rw
72 70 0:50 /containers/x${CPU} ${CPU} rw - fuse.lxcfs lxcfs rw
73 72 0:51 /null ${CPU}/possible rw - devtmpfs devtmpfs rw
`)
  t.match(findTarget(mounts, '', `${CPU}/online`.slice(1)), {
    ...{ parent: { id: 70 }, bound: { id: 71 }, layers: 1, covers: [CPU] },
  })
  t.match(findTarget(mounts, '', `${CPU}/offline`.slice(1)), {
    ...{ parent: { id: 70 }, bound: undefined, layers: 0, covers: [CPU] },
  })
  t.match(findTarget(mounts, '', CPU.slice(1)), {
    ...{ parent: { id: 70 }, bound: { id: 72 }, layers: 1, covers: [] },
  })
  t.match(
    findTarget(mounts, '', `${CPU}/possible`.slice(1)),
    { parent: { id: 70 }, bound: undefined },
    'what a runtime has masked in the directory is no matter of the file below',
  )
  t.match(findTarget(mounts, '', 'proc/stat'), { covers: [] })
})

t.test('a directory that is covered by another mount is left alone', async t => {
  const mounts = tree(`
64 26 254:0 / / rw - ext4 /dev/vda rw
70 64 0:43 / /sys ro - sysfs sysfs ro
72 70 0:50 /containers/x${CPU} ${CPU} rw - fuse.lxcfs lxcfs rw
73 72 0:51 / ${CPU} rw - tmpfs tmpfs rw
`)
  t.equal(findTarget(mounts, '', CPU.slice(1)), undefined)
})
