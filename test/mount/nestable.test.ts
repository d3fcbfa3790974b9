import t from 'tap'
import { MountTree, parseMounts } from '../../src/host/mountinfo.ts'
import { findNestable, isNestingBarred } from '../../src/mount/nestable.ts'

const ROOT = '64 26 254:0 /b/rootfs / rw - ext4 /dev/vda rw\n'
const PROC = '65 64 0:39 / /proc rw - proc proc rw\n'
const SYS = '66 64 0:40 / /sys ro - sysfs sysfs ro\n'
const BARE = ROOT + PROC + SYS
let nextId = 70

const on = (parent: number, path: string, fsType: string, id = nextId++) =>
  `${id} ${parent} 0:50 /x ${path} rw - ${fsType} x rw\n`
const ours = (path: string, id?: number) =>
  on(path.startsWith('/proc') ? 65 : 66, path, 'fuse.lxcfs', id)

const tree = (text: string) => new MountTree(parseMounts(text))
const directories = (text: string, base = '') =>
  findNestable(tree(text), base).map(({ directory }) => directory)

t.test('without our files nothing is barred by them', async t => {
  t.strictSame(directories(BARE), ['proc', 'sys'])
  t.notOk(isNestingBarred(tree(BARE), ''))
  t.strictSame(directories(ROOT), [])
  t.notOk(isNestingBarred(tree(ROOT), ''))
})

t.test('one of our files on an otherwise visible proc or sysfs bars it', async t => {
  t.ok(isNestingBarred(tree(BARE + ours('/proc/stat')), ''))
  const online = tree(BARE + ours('/sys/devices/system/cpu/online'))
  t.match(findNestable(online, ''), [{ isCovered: false }, { isCovered: true }])
  t.notOk(isNestingBarred(online, ''), 'sysfs alone is of no use')
  t.strictSame(directories(BARE + ours('/proc/stat')), ['proc', 'sys'])
})

t.test('directories that the kernel keeps empty may be covered', async t => {
  const cgroup = on(66, '/sys/fs/cgroup', 'cgroup2')
  t.strictSame(directories(BARE + cgroup + on(65, '/proc/sys/fs/binfmt_misc', 'binfmt_misc')), [
    'proc',
    'sys',
  ])
  t.notOk(isNestingBarred(tree(BARE + cgroup), ''))
})

t.test('a mask of the runtime bars it before us', async t => {
  const masks = {
    'a file': on(65, '/proc/kcore', 'tmpfs'),
    'a directory that is read-only': on(65, '/proc/sys', 'proc'),
    'the whole proc': on(65, '/proc', 'tmpfs'),
    'a file of ours': ours('/proc/stat', 67) + on(67, '/proc/stat', 'tmpfs'),
  }
  for (const [name, mask] of Object.entries(masks)) {
    const text = ROOT + PROC + mask + ours('/proc/meminfo')
    t.strictSame(directories(text), [], name)
    t.notOk(isNestingBarred(tree(text), ''), name)
  }
})

t.test('a part of proc is not the whole of it', async t => {
  const part = '65 64 0:39 /sys /proc rw - proc proc rw\n'
  t.strictSame(directories(ROOT + part), [])
})

t.test('another one that is visible is enough, as that of LXC', async t => {
  const spare = '68 64 0:41 / /dev/.lxc/proc rw - proc proc rw\n'
  const text = ROOT + PROC + ours('/proc/stat') + spare
  t.match(findNestable(tree(text), ''), [{ isCovered: true, others: [{ id: 68 }] }])
  t.notOk(isNestingBarred(tree(text), ''))
  t.ok(isNestingBarred(tree(text + on(68, '/dev/.lxc/proc/kcore', 'tmpfs')), ''), 'a masked one')
})

t.test("before pivot_root the host's proc does not count", async t => {
  const host = '21 26 0:20 / /proc rw - proc proc rw\n26 1 254:0 / / rw - ext4 /dev/vda rw\n'
  const rootfs = '63 26 254:0 /b/rootfs /b/rootfs rw - ext4 /dev/vda rw\n'
  const text = `${host}${rootfs}65 63 0:39 / /b/rootfs/proc rw - proc proc rw\n`
  t.match(findNestable(tree(text), '/b/rootfs'), [{ directory: 'proc', others: [] }])
  t.ok(isNestingBarred(tree(text + on(65, '/b/rootfs/proc/stat', 'fuse.lxcfs')), '/b/rootfs'))
})
