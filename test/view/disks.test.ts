import t from 'tap'
import { Groups } from '../../src/cgroup/groups.ts'
import { parseCgroupPaths } from '../../src/cgroup/hierarchy.ts'
import { type DiskIo, type IoReader, NO_IO } from '../../src/cgroup/io.ts'
import { renderDiskstats } from '../../src/proc/diskstats.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { renderPartitions } from '../../src/proc/partitions.ts'
import { ContainerView } from '../../src/view/container-view.ts'
import { Devices } from '../../src/view/devices.ts'
import { Disks } from '../../src/view/disks.ts'
import { HOST_DISKSTATS, HOST_PARTITIONS } from '../machines/disks.ts'
import { type Machine, machine } from '../machines/machine.ts'

const PID = 42
const START = 986258
const ON_SDA1 = '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n'

/** A container whose root directory is on sda1, and its host. Its /dev has no nodes. */
function machineOf(t: Parameters<typeof machine>[0], mountinfo = ON_SDA1): Machine {
  return machine(t, {
    'proc/diskstats': HOST_DISKSTATS,
    'proc/partitions': HOST_PARTITIONS,
    'proc/self/mountinfo': '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
    [`proc/${PID}/stat`]: `${PID} (init) S${' 0'.repeat(18)} ${START} 0\n`,
    [`proc/${PID}/mountinfo`]: mountinfo,
    'sys/dev/block/8:1/partition': '1\n',
    'sys/dev/block/dev': '8:0\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu io memory\n',
    'sys/fs/cgroup/ctr/io.stat': '8:0 rios=192 rbytes=1459200 wios=353 wbytes=314773504\n',
  })
}

const INIT = { pid: PID, startTicks: START, rootMount: undefined }
const disksOf = (host: Machine) => new Disks(host, new Devices(host, INIT), DEFAULT_OPTIONS)
const counting = (io: Partial<DiskIo>): IoReader => ({
  disks: () => new Map([['8:0', { ...NO_IO, ...io }]]),
})
const namesOf = (disks: Disks) => disks.read(undefined).map(disk => disk.name)

function viewOf(host: Machine, pid: number | undefined): ContainerView {
  const startTicks = pid === undefined ? undefined : START
  const subject = { cgroups: parseCgroupPaths('0::/ctr\n'), pid, startTicks }
  return new ContainerView({ groups: new Groups(host), subject, options: DEFAULT_OPTIONS })
}

t.test("a container's files show the disk of its root directory and its own I/O", async t => {
  const view = viewOf(machineOf(t), PID)
  t.equal(renderDiskstats(view), '   8       0 sda 192 0 2850 0 353 0 614792 0 0 0 0 0 0 0 0 0 0\n')
  t.equal(renderPartitions(view), 'major minor  #blocks  name\n\n   8        0  268435456 sda\n')
})

t.test("a process of the host sees the host's disks", async t => {
  const view = viewOf(machineOf(t), undefined)
  t.equal(view.disks(), undefined)
  t.equal(renderDiskstats(view), HOST_DISKSTATS)
  t.equal(renderPartitions(view), HOST_PARTITIONS)
})

t.test('a root directory in memory leaves no disk', async t => {
  const view = viewOf(machineOf(t, '20 1 0:45 / / rw - tmpfs tmpfs rw\n'), PID)
  t.equal(renderDiskstats(view), '')
  t.equal(renderPartitions(view), 'major minor  #blocks  name\n\n')
})

t.test('a cgroup that counts no I/O leaves zeros', async t => {
  const host = machineOf(t)
  host.set({ 'sys/fs/cgroup/ctr/io.stat': undefined })
  t.equal(renderDiskstats(viewOf(host, PID)), `   8       0 sda${' 0'.repeat(17)}\n`)
})

t.test('counters stay from read to read when the cgroup is made anew', async t => {
  const disks = disksOf(machineOf(t))
  const reads = (count: number) => disks.read(counting({ reads: count }))[0]?.counters?.reads
  t.equal(reads(100), 100)
  t.equal(reads(3), 100)
  t.equal(reads(101), 101)
})

t.test("what is counted before the host's file shows it is held back", async t => {
  const host = machineOf(t)
  const disks = disksOf(host)
  const io = counting({ reads: 103350 })
  t.equal(disks.read(io)[0]?.counters?.reads, 103349)
  host.set({ 'proc/diskstats': HOST_DISKSTATS.replace('103349', '103360') })
  t.equal(disks.read(io)[0]?.counters?.reads, 103350)
})

t.test('the root directory is looked for again after 10 seconds, not before', async t => {
  const host = machineOf(t, '20 1 0:45 / / rw - tmpfs tmpfs rw\n')
  const disks = disksOf(host)
  t.same(namesOf(disks), [])
  host.set({ [`proc/${PID}/mountinfo`]: ON_SDA1.replace('20', '21') })
  host.clock.advance(9.9)
  t.same(namesOf(disks), [])
  host.clock.advance(0.1)
  t.same(namesOf(disks), ['sda'])
})

t.test('a host without the files has no disks to show', async t => {
  const host = machineOf(t)
  host.set({ 'proc/diskstats': undefined, 'proc/partitions': undefined })
  t.same(disksOf(host).read(counting({ reads: 1 })), [])
})
