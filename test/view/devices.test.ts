import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { splitDevice } from '../../src/host/device-number.ts'
import { findMount } from '../../src/host/mountinfo.ts'
import { MOST_MOUNTINFO_BYTES } from '../../src/host/mounts-of.ts'
import { listBlockNodes, type Trust } from '../../src/view/block-nodes.ts'
import { collectDevices, Devices } from '../../src/view/devices.ts'
import { findDevice, findWholeDisk } from '../../src/view/root-device.ts'
import { type Machine, machine, mountIdOf } from '../machines/machine.ts'

const MKNOD = process.getuid?.() === 0 ? {} : { skip: 'mknod needs root' }

const MOUNT = process.getuid?.() === 0 ? {} : { skip: 'mount needs root' }

const PID = 42
const START = 986258
const INIT = { pid: PID, startTicks: START, rootMount: 5 }
const STAT = `${PID} (a) b) S${' 0'.repeat(18)} ${START} 0\n`

function block(host: Machine, path: string, major: number, minor: number): void {
  const file = join(host.directory, path)
  mkdirSync(join(file, '..'), { recursive: true })
  execFileSync('mknod', [file, 'b', `${major}`, `${minor}`])
}

/** A container whose root and /dev are on the file system of the machine's directory. */
function container(
  t: Parameters<typeof machine>[0],
  root = '8:1 / / rw - ext4 /dev/sda1 rw',
  moreMounts = '',
): Machine {
  const host = machine(t, { [`proc/${PID}/stat`]: STAT })
  const id = mountIdOf(host.directory)
  host.set({ [`proc/${PID}/mountinfo`]: `${id} 1 ${root}\n${moreMounts}` })
  mkdirSync(join(host.directory, `proc/${PID}/root/dev`), { recursive: true })
  partition(host)
  return host
}

/** sda1 of sda, as sysfs has them. */
function partition(host: Machine): void {
  host.set({
    'sys/devices/pci/block/sda/dev': '8:0\n',
    'sys/devices/pci/block/sda/sda1/dev': '8:1\n',
    'sys/devices/pci/block/sda/sda1/partition': '1\n',
  })
  mkdirSync(join(host.directory, 'sys/dev/block'), { recursive: true })
  const link = (name: string, target: string) =>
    symlinkSync(`../../devices/pci/block/${target}`, join(host.directory, 'sys/dev/block', name))
  link('8:0', 'sda')
  link('8:1', 'sda/sda1')
}

const DEV = `proc/${PID}/root/dev`
const EVERYTHING: Trust = { isLocal: () => true, isMountPoint: () => false }
const nodesOf = (host: Machine, trust = EVERYTHING) =>
  listBlockNodes(join(host.directory, DEV), trust)
    .map(node => `${node.name} ${node.major}:${node.minor}`)
    .sort()

t.test('the parts of a device number', async t => {
  const null_ = splitDevice(statSync('/dev/null').rdev)
  t.same(null_, { major: 1, minor: 3 })
  t.same(splitDevice(0xfff00000 + 0xfffff), { major: 0xfff, minor: 0xfffff })
  t.same(splitDevice(259 * 256 + 7), { major: 259, minor: 7 })
})

t.test('block nodes are found three directories deep', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/data`, 8, 16)
  block(host, `${DEV}/mapper/data`, 253, 1048575)
  block(host, `${DEV}/a/b/c`, 259, 3)
  block(host, `${DEV}/a/b/c2/d`, 8, 32)
  execFileSync('mknod', [join(host.directory, DEV, 'null'), 'c', '1', '3'])
  execFileSync('mknod', [join(host.directory, DEV, 'fifo'), 'p'])
  t.same(nodesOf(host), ['a/b/c 259:3', 'data 8:16', 'mapper/data 253:1048575'])
})

t.test('directories that hold no devices are not looked into', MKNOD, async t => {
  const host = container(t)
  for (const name of ['pts', 'shm', 'mqueue', 'fd']) block(host, `${DEV}/${name}/x`, 8, 16)
  block(host, `${DEV}/a/shm`, 8, 32)
  t.same(nodesOf(host), ['a/shm 8:32'])
  const trust = { ...EVERYTHING, isMountPoint: () => true }
  t.same(nodesOf(host, trust), ['a/shm 8:32'], 'mounted or not')
})

t.test('symbolic links are not followed', MKNOD, async t => {
  const host = container(t)
  block(host, 'elsewhere/sdb', 8, 16)
  const link = (target: string, path: string) => symlinkSync(target, join(host.directory, path))
  link(join(host.directory, 'elsewhere'), `${DEV}/directory`)
  link(join(host.directory, 'elsewhere/sdb'), `${DEV}/node`)
  t.same(nodesOf(host), [])
  rmSync(join(host.directory, DEV), { recursive: true })
  link(join(host.directory, 'elsewhere'), DEV)
  t.same(nodesOf(host), [], '/dev itself is a link')
})

t.test('what is on a mount that is not local is not looked at', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/data`, 8, 16)
  t.same(nodesOf(host, { ...EVERYTHING, isLocal: () => false }), [])
})

t.test('a node that is mounted on a file counts', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/sub/data`, 8, 16)
  host.set({ [`${DEV}/file`]: '' })
  const asked: string[] = []
  const isMountPoint = (name: string): boolean => {
    asked.push(name)
    return name === 'file'
  }
  t.same(nodesOf(host, { ...EVERYTHING, isMountPoint }), ['sub/data 8:16'], 'a file is no device')
  t.same(asked.sort(), ['file', 'sub'])
})

t.test('a flood of entries ends the search, without hiding the nodes beside it', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/zz`, 8, 16)
  for (let i = 0; i < 5000; i++) host.set({ [`${DEV}/flood/${i}`]: '' })
  block(host, `${DEV}/flood/sub/node`, 8, 32)
  t.same(nodesOf(host), ['zz 8:16'])
})

t.test('names that are too long together are left out, and no short one', MKNOD, async t => {
  const host = container(t)
  const dev = join(host.directory, DEV)
  block(host, `${DEV}/a/b`, 8, 16)
  for (let i = 0; i < 300; i++) linkSync(`${dev}/a/b`, `${dev}/${'\x01'.repeat(250)}${i}`)
  const found = listBlockNodes(dev, EVERYTHING)
  const bytes = found.reduce((sum, { name }) => sum + name.length, 0)
  t.ok(found.length > 250 && bytes <= 64 * 1024, `${found.length} with ${bytes} bytes`)
  t.ok(found.some(({ name }) => name === 'a/b'))
})

t.test('a directory that is not there has no nodes', async t => {
  t.same(listBlockNodes('/nonexistent/dev', EVERYTHING), [])
})

t.test('a partition of sysfs has a whole disk, anything else has none', async t => {
  const host = container(t)
  t.same(findWholeDisk(host, { major: 8, minor: 1 }), { major: 8, minor: 0 })
  t.equal(findWholeDisk(host, { major: 8, minor: 0 }), undefined)
  t.equal(findWholeDisk(host, { major: 253, minor: 0 }), undefined)
})

const mount = (line: string) => {
  const found = findMount(`1 0 ${line}\n`, '/')
  if (found === undefined) throw new Error(`Cannot parse ${line}`)
  return found
}

t.test('a root directory on a block device is on that', async t => {
  const host = machine(t, {})
  t.same(findDevice(host, mount('253:7 / / rw - xfs /dev/mapper/r rw')), { major: 253, minor: 7 })
})

t.test('a root directory in memory or on another machine is on none', async t => {
  const host = machine(t, {})
  for (const line of [
    '0:45 / / rw - tmpfs tmpfs rw',
    '0:46 / / rw - nfs4 server:/export rw',
    '0:47 / / rw - zfs pool/data rw',
    '0:48 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw',
    '0:49 / / rw - btrfs /dev/nonexistent rw',
    '0:50 / / rw - overlay overlay rw,lowerdir=l/A:l/B,upperdir=abc/diff,workdir=abc/work',
    '0:51 / / rw - overlay overlay rw',
  ]) {
    t.equal(findDevice(host, mount(line)), undefined, line)
  }
})

/** The device that the host's mountinfo names. */
const BELOW = { major: 8, minor: 77 }

/** The directories are on a local file system, by a mountinfo of the host's. /net, by the list, is not. */
function overlayHost(t: Parameters<typeof machine>[0]): Machine {
  const host = machine(t, {
    'var/lib/up,per/diff/x': '',
    'var/lib/low:er/diff/x': '',
  })
  const root = mountIdOf(host.directory)
  host.set({
    'proc/self/mountinfo':
      `${root} 1 8:77 / / rw - ext4 /dev/sda2 rw\n` +
      `10 ${root} 0:60 / /net rw - nfs4 server:/x rw\n`,
  })
  return host
}

t.test('an overlay is on the device of its upper directory', async t => {
  const host = overlayHost(t)
  const overlay = mount(
    '0:50 / / rw - overlay overlay rw,lowerdir=/none,upperdir=/var/lib/up\\054per/diff,workdir=/w',
  )
  t.same(findDevice(host, overlay), BELOW)
})

t.test(
  'an overlay without an upper directory is on the device of the topmost lower one',
  async t => {
    const host = overlayHost(t)
    for (const lower of [
      'lowerdir=/var/lib/low\\134:er/diff:/none',
      'lowerdir+=/var/lib/low:er/diff,lowerdir+=/none',
    ]) {
      const overlay = mount(`0:50 / / ro - overlay overlay ro,${lower}`)
      t.same(findDevice(host, overlay), BELOW, lower)
    }
  },
)

t.test('a link in a path is followed as far as the mounts are local', async t => {
  const host = overlayHost(t)
  const device = (upper: string) =>
    findDevice(host, mount(`0:50 / / rw - overlay overlay rw,upperdir=${upper}`))
  symlinkSync('/var/lib', join(host.directory, 'absolute'))
  symlinkSync('lib/../../var/lib/up,per', join(host.directory, 'var/relative'))
  symlinkSync('round', join(host.directory, 'round'))
  t.same(device('/absolute/low:er/diff'), BELOW)
  t.same(device('/var/relative/diff'), BELOW)
  t.equal(device('/round/x'), undefined)
  t.equal(device('/var/lib/none'), undefined)
  symlinkSync('/proc/self/fd', join(host.directory, 'away'))
  t.equal(device('/away/0'), undefined, 'nothing leads out of the root')
})

t.test('nothing on a mount that is not local is looked up, whatever its name', MOUNT, async t => {
  const host = overlayHost(t)
  mkdirSync(join(host.directory, 'strange'))
  // A mount that the host's mountinfo, as it was read, does not have: it was put there meanwhile.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(host.directory, 'strange')])
  t.teardown(() => execFileSync('umount', [join(host.directory, 'strange')]))
  mkdirSync(join(host.directory, 'strange/diff'))
  symlinkSync('/strange', join(host.directory, 'by-link'))
  for (const upper of ['/strange/diff', '/strange', '/by-link/diff']) {
    const overlay = mount(`0:50 / / rw - overlay overlay rw,upperdir=${upper}`)
    t.equal(findDevice(host, overlay), undefined, upper)
  }
})

t.test('paths on another machine, or with a way around, are not looked up', async t => {
  const host = overlayHost(t)
  host.set({ 'net/diff/x': '' })
  for (const upper of ['/net/diff', '/var/../net/diff', '/net', '/var/lib/up,per/diff/..']) {
    const overlay = mount(
      `0:50 / / rw - overlay overlay rw,upperdir=${upper.replace(',', '\\054')}`,
    )
    t.equal(findDevice(host, overlay), undefined, upper)
  }
})

t.test('a link to a mount that is not local is not followed', async t => {
  const host = overlayHost(t)
  host.set({ 'net/diff/x': '' })
  symlinkSync('/net', join(host.directory, 'by-link'))
  symlinkSync('../../net/diff', join(host.directory, 'var/lib/relative'))
  for (const upper of ['/by-link', '/by-link/diff', '/var/lib/relative']) {
    const overlay = mount(`0:50 / / rw - overlay overlay rw,upperdir=${upper}`)
    t.equal(findDevice(host, overlay), undefined, upper)
  }
})

t.test(
  'a file system with numbers of its own is on the device it was mounted from',
  MKNOD,
  async t => {
    const host = overlayHost(t)
    block(host, 'dev/sdb2', 8, 18)
    const device = (source: string) => findDevice(host, mount(`0:40 / / rw - btrfs ${source} rw`))
    t.same(device('/dev/sdb2'), { major: 8, minor: 18 })
    t.equal(device('/dev/../dev/sdb2'), undefined)
    host.set({ 'dev/file': '' })
    t.equal(device('/dev/file'), undefined)
    symlinkSync('../dev/mapper/../sdb2', join(host.directory, 'dev/link'))
    t.same(device('/dev/link'), { major: 8, minor: 18 })
  },
)

t.test('a container has the nodes of its /dev and the whole disk of its root', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/sda1`, 8, 1)
  block(host, `${DEV}/data`, 8, 16)
  const { nodes, rootDisk } = new Devices(host, INIT).read()
  t.same(rootDisk, { major: 8, minor: 0 })
  t.same(
    [...nodes].sort((a, b) => a.minor - b.minor),
    [
      { name: 'sda1', major: 8, minor: 1, wholeDisk: { major: 8, minor: 0 } },
      { name: 'data', major: 8, minor: 16, wholeDisk: undefined },
    ],
  )
})

t.test('a file system of the container that may never answer is left alone', MKNOD, async t => {
  const host = container(t, '0:66 / / rw - fuse.own x rw')
  block(host, `${DEV}/data`, 8, 16)
  t.same(new Devices(host, INIT).read(), { nodes: [], rootDisk: undefined })
})

t.test('where the mounts are too many to be read, no node is listed', MKNOD, async t => {
  const mounts = '9 1 0:5 / /m rw - tmpfs x rw\n'.repeat(MOST_MOUNTINFO_BYTES / 20)
  const host = container(t, undefined, mounts)
  block(host, `${DEV}/data`, 8, 16)
  t.same(new Devices(host, INIT).read(), { nodes: [], rootDisk: { major: 8, minor: 0 } })
  host.set({ [`proc/${PID}/mountinfo`]: host.read(`proc/${PID}/mountinfo`).slice(0, 100_000) })
  t.equal(new Devices(host, INIT).read().nodes.length, 1)
})

t.test('mounts that the host has as well are not too many', MKNOD, async t => {
  const mounts = '9 1 0:5 / /m rw - tmpfs x rw\n'.repeat(MOST_MOUNTINFO_BYTES / 20)
  const host = container(t, undefined, mounts)
  host.set({ 'proc/self/mountinfo': mounts })
  block(host, `${DEV}/data`, 8, 16)
  t.equal(new Devices(host, INIT).read().nodes.length, 1)
})

t.test('nodes are read again after 10 seconds, not before', MKNOD, async t => {
  const host = container(t)
  const devices = new Devices(host, INIT)
  t.same(devices.read().nodes, [])
  block(host, `${DEV}/data`, 8, 16)
  host.clock.advance(9.9)
  t.same(devices.read().nodes, [])
  host.clock.advance(0.1)
  t.equal(devices.read().nodes.length, 1)
})

t.test('a container that has ended keeps its devices, also when its pid is used again', async t => {
  const host = container(t)
  const devices = new Devices(host, INIT)
  t.same(devices.read().rootDisk, { major: 8, minor: 0 })
  const mountinfo = host.read(`proc/${PID}/mountinfo`).replace('8:1', '8:16')
  host.set({
    [`proc/${PID}/stat`]: STAT.replace(`${START}`, '99'),
    [`proc/${PID}/mountinfo`]: mountinfo,
  })
  host.clock.advance(11)
  t.same(devices.read().rootDisk, { major: 8, minor: 0 })
  renameSync(join(host.directory, `proc/${PID}`), join(host.directory, 'proc/43'))
  host.clock.advance(11)
  t.same(devices.read().rootDisk, { major: 8, minor: 0 })
  t.same(new Devices(host, INIT).read(), { nodes: [], rootDisk: undefined })
})

t.test('an overlay is looked into only if the runtime mounted it', MKNOD, async t => {
  const host = container(t)
  block(host, `${DEV}/data`, 8, 16)
  const [own = ''] = host.read(`proc/${PID}/mountinfo`).split(' ')
  const set = (devType: string) =>
    host.set({
      [`proc/${PID}/mountinfo`]: `5 1 0:50 / / rw - overlay overlay rw\n${own} 5 0:51 / /dev rw - ${devType} x rw\n`,
    })
  const names = (rootMount: number | undefined) =>
    new Devices(host, { ...INIT, rootMount }).read().nodes.map(node => node.name)
  set('tmpfs')
  t.same(names(5), ['data'])
  t.same(names(6), [], 'another root by now')
  t.same(names(undefined), [], 'a root nobody registered')
  set('overlay')
  t.same(names(5), [], 'one below /dev')
})

t.test('before pivot_root(2) the devices are those of the root to be', MKNOD, async t => {
  const host = container(t)
  const id = mountIdOf(host.directory)
  const mounts = ['1 8:1 / /', `${id} 8:1 /boxes/a /boxes/a`].map(
    (mount, i) => `${i === 0 ? id : INIT.rootMount} ${mount} rw - ext4 /dev/sda1 rw\n`,
  )
  host.set({ [`proc/${PID}/mountinfo`]: mounts.join('') })
  block(host, `${DEV}/vda`, 8, 0)
  block(host, `proc/${PID}/root/boxes/a/dev/own`, 8, 1)
  const found = collectDevices(host, INIT)
  t.strictSame(
    found?.nodes.map(({ name }) => name),
    ['own'],
    "none of the host's, which are below the init's root still",
  )
  t.equal(found?.isEarly, true)
  const entered = collectDevices(host, { ...INIT, rootMount: id })
  t.strictSame(
    entered?.nodes.map(({ name }) => name),
    ['vda'],
  )
  t.equal(entered?.isEarly, false)

  const between = `7 ${id} 0:70 / /boxes rw - fuse.box box rw\n`
  const [first = '', second = ''] = mounts
  const below = second.replace(` ${id} `, ' 7 ')
  host.set({ [`proc/${PID}/mountinfo`]: first + between + below })
  t.strictSame(
    collectDevices(host, INIT)?.nodes,
    [],
    'what may never answer on the way is not asked',
  )
})
