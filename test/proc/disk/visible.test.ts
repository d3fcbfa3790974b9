import fc from 'fast-check'
import t from 'tap'
import { type DiskIo, NO_IO } from '../../../src/cgroup/io.ts'
import { DiskAccount } from '../../../src/proc/disk/account.ts'
import { DISK_FIELDS, NO_COUNTERS } from '../../../src/proc/disk/counters.ts'
import { parseDiskstats } from '../../../src/proc/disk/host-disks.ts'
import type { BlockNode } from '../../../src/proc/disk/names.ts'
import type { VisibleDisk } from '../../../src/proc/disk/visible.ts'
import { renderDiskstatsRows } from '../../../src/proc/diskstats.ts'
import { keptHere, OwnNumbers } from '../../../src/proc/kept.ts'
import {
  DM0,
  disks,
  HOST_DISKSTATS,
  HOST_PARTITIONS,
  LOOP0,
  node,
  SDA,
  SDA_IO,
  SDA1,
  SDB,
  visibleDisks,
} from '../../machines/disks.ts'

const names = (visible: readonly VisibleDisk[]) =>
  visible.map(disk => `${disk.major}:${disk.minor} ${disk.name}`)

t.test('the disk of the root directory is sda, with the counters of the cgroup', async t => {
  const [sda, ...others] = disks()
  t.same(others, [])
  t.match(sda, { ...SDA, name: 'sda', kernelName: 'sda', sizeKib: 268435456 })
  t.same(sda?.counters, {
    ...NO_COUNTERS,
    reads: 192,
    readSectors: 2850,
    writes: 353,
    writeSectors: 614792,
  })
})

t.test('whatever its kernel name, the root disk is sda', async t => {
  t.same(names(disks({ rootDisk: DM0 })), ['253:0 sda'])
})

t.test('a device with a node has the name of the node', async t => {
  t.same(names(disks({ nodes: [node('data', SDB)] })), ['8:0 sda', '8:16 data'])
  t.same(names(disks({ nodes: [node('mapper/data', DM0)] })), ['8:0 sda', '253:0 mapper/data'])
})

t.test('rows are in the order of the host', async t => {
  const nodes = [node('l', LOOP0), node('a', DM0), node('z', SDB)]
  t.same(names(disks({ nodes })), ['8:0 sda', '8:16 z', '253:0 a', '7:0 l'])
})

t.test(
  'of several nodes the shortest names the device, then the first by the alphabet',
  async t => {
    const nodes = [node('disk/data', SDB), node('xb', SDB), node('xa', SDB), node('xaa', SDB)]
    t.same(names(disks({ nodes, rootDisk: undefined })), ['8:16 xa'])
  },
)

t.test('the node of the root disk does not rename it', async t => {
  t.same(names(disks({ nodes: [node('vda', SDA)] })), ['8:0 sda'])
})

t.test('another device called sda keeps its kernel name', async t => {
  t.same(names(disks({ nodes: [node('sda', SDB)] })), ['8:0 sda', '8:16 sdb'])
})

t.test('a device whose kernel name is taken too is left out', async t => {
  t.same(names(disks({ nodes: [node('sda', SDA)], rootDisk: SDB })), ['8:16 sda'])
  const nodes = [node('sda', SDB), node('sdb', DM0)]
  t.same(names(disks({ nodes })), ['8:0 sda', '253:0 sdb'])
})

t.test('without a root disk there is no sda, and a node may have that name', async t => {
  t.same(names(disks({ rootDisk: undefined })), [])
  t.same(names(disks({ rootDisk: undefined, nodes: [node('sda', SDB)] })), ['8:16 sda'])
  t.same(names(disks({ rootDisk: { major: 259, minor: 7 } })), [], 'the host does not list it')
})

t.test('a node of what the host does not have is no row', async t => {
  t.same(names(disks({ nodes: [node('ghost', { major: 99, minor: 9 })] })), ['8:0 sda'])
})

t.test('a name that would break the columns gives way to the kernel name', async t => {
  for (const name of ['a b', 'a\tb', 'a\nb', '8', 'a\u00a0b', '\u0001', 'a\u0085b', 'a\u2028b']) {
    t.same(names(disks({ nodes: [node(name, SDB)] })), ['8:0 sda', '8:16 sdb'], encodeURI(name))
  }
  t.same(names(disks({ nodes: [node('a b', SDB), node('longer', SDB)] })), [
    '8:0 sda',
    '8:16 longer',
  ])
  t.same(names(disks({ nodes: [node('platte-ä', SDB)] })), ['8:0 sda', '8:16 platte-ä'])
})

t.test('a device without I/O has zeros', async t => {
  const visible = disks({ nodes: [node('data', SDB)] })
  t.same(visible[1]?.counters, NO_COUNTERS)
})

t.test("without any data all counters are 0, not the host's", async t => {
  for (const disk of disks({ nodes: [node('data', SDB)], io: undefined })) {
    t.same(disk.counters, NO_COUNTERS)
  }
})

t.test('a device without a node is not visible, whatever was done to it', async t => {
  const io = new Map([['253:0', SDA_IO]])
  t.same(names(disks({ io })), ['8:0 sda'])
  t.same(names(disks({ io, options: { openEulerEmptyNames: 'on' } })), ['8:0 sda', '253:0 '])
})

t.test(
  'a partition with a node stands for its disk when it is all that is visible of it',
  async t => {
    const sda1 = node('data1', SDA1, SDA)
    const [alone] = disks({ rootDisk: undefined, nodes: [sda1] })
    t.match(alone, { name: 'data1', sizeKib: 268434432, wholeDisk: SDA })
    t.equal(alone?.counters?.reads, 192)
    const [sda, beside] = disks({ nodes: [sda1] })
    t.equal(sda?.counters?.reads, 192)
    t.same(beside?.counters, NO_COUNTERS)
    const sda2 = { major: 8, minor: 2 }
    const two = disks({
      rootDisk: undefined,
      hostDiskstats: `${HOST_DISKSTATS}   8       2 sda2 1 2 3 4 5 6 7 8 9 10 11\n`,
      nodes: [sda1, node('data2', sda2, SDA)],
    })
    t.same(
      two.map(disk => disk.counters),
      [NO_COUNTERS, NO_COUNTERS],
    )
  },
)

t.test('no counter passes that of the host', async t => {
  const io = new Map([['8:16', { ...NO_IO, reads: 9999, readBytes: 512, writeUsec: 700_000 }]])
  const [, data] = disks({ nodes: [node('data', SDB)], io })
  t.match(data?.counters, { reads: 5000, readSectors: 1, writeMs: 600, weightedMs: 700 })
})

t.test('times that the cgroup counts are shown in milliseconds', async t => {
  const times = { readUsec: 4999, writeUsec: 5001, discardUsec: 1000, serviceUsec: 8000 }
  const io = new Map([['8:0', { ...NO_IO, ...times, readMerges: 1, writeMerges: 2 }]])
  t.same(disks({ io })[0]?.counters, {
    ...NO_COUNTERS,
    readMerges: 1,
    readMs: 4,
    writeMerges: 2,
    writeMs: 5,
    busyMs: 8,
    weightedMs: 10,
    discardMs: 1,
  })
})

t.test('a device that only one of the files lists is visible in that one', async t => {
  const [only] = disks({ hostDiskstats: '' })
  t.match(only, { name: 'sda', sizeKib: 268435456, counters: undefined })
  const [other] = disks({ hostPartitions: '' })
  t.match(other, { name: 'sda', sizeKib: undefined, counters: { reads: 192 } })
})

t.test('damaged rows of the host are left out, damaged numbers are 0', async t => {
  t.same(parseDiskstats('x y z\n\n8 0\n   8       0 sda 1 x -3 1e99 5'), [
    { ...SDA, name: 'sda', counters: { ...NO_COUNTERS, reads: 1, writes: 5 } },
  ])
})

t.test('a number of the host beyond the exact ones bounds nothing', async t => {
  const large = '18446744073709551615'
  const hostDiskstats = `   8       0 sda ${large} 0 9007199254740992 0 ${large}${'9'} 0 0 0 0 0 0\n`
  t.match(disks({ hostDiskstats })[0]?.counters, { reads: 192, readSectors: 2850, writes: 0 })
})

const io = (reads: number, more: Partial<DiskIo> = {}) =>
  new Map([['8:0', { ...NO_IO, reads, ...more }]])
const host = (reads: number, readMs: number, busyMs = 0, weightedMs = 10_000) =>
  `   8       0 sda ${reads} 0 0 ${readMs} 0 0 0 0 0 ${busyMs} ${weightedMs}\n`

t.test('counters do not fall when the cgroup is made anew', async t => {
  const account = new DiskAccount({ diskTimes: 'zero' })
  const reads = (count: number) => account.advance(disks({ io: io(count) }))[0]?.counters?.reads
  t.equal(reads(100), 100)
  t.equal(reads(3), 100)
  t.equal(reads(150), 150)
})

t.test('the account goes on from what it wrote down', async t => {
  const kept = keptHere()
  new DiskAccount({ diskTimes: 'zero' }, kept).advance(disks({ io: io(100) }))
  const second = new DiskAccount({ diskTimes: 'zero' }, kept)
  t.equal(second.advance(disks({ io: io(3) }))[0]?.counters?.reads, 100)
})

t.test('what is no count of whole numbers begins anew', async t => {
  for (const damage of [0.5, 5e-324, -1, Number.NaN, 2 ** 60]) {
    const numbers = new Float64Array(DISK_FIELDS.length).fill(1000)
    numbers[6] = damage
    const kept = new OwnNumbers()
    kept.store(numbers, numbers.length)
    const account = new DiskAccount({ diskTimes: 'zero' }, () => kept)
    t.equal(account.advance(disks({ io: io(3) }))[0]?.counters?.reads, 3, `${damage}`)
  }
})

t.test('what is not visible for a while has not fallen either', async t => {
  const account = new DiskAccount({ diskTimes: 'zero' })
  account.advance(disks({ io: io(100) }))
  account.advance(disks({ rootDisk: undefined }))
  t.equal(account.advance(disks({ io: io(5) }))[0]?.counters?.reads, 100)
})

t.test("I/O takes the container's share of the host's time, if wanted", async t => {
  const account = new DiskAccount({ diskTimes: 'apportion' })
  const at = (hostDiskstats: string, own: number) =>
    account.advance(disks({ hostDiskstats, io: io(own) }))[0]?.counters
  t.match(at(host(1000, 500, 300), 100), { readMs: 0, busyMs: 0, weightedMs: 0 })
  t.match(at(host(1100, 600, 350), 150), { readMs: 50, busyMs: 25, weightedMs: 50 })
  t.match(at(host(1103, 610, 350), 151), { readMs: 53, busyMs: 25 }, '3.33 ms')
  t.match(at(host(1106, 620, 350), 152), { readMs: 56 }, 'fractions add up')
  t.match(at(host(1109, 630, 350), 153), { readMs: 60 }, 'to whole milliseconds')
  t.match(at(host(1110, 700, 350), 163), { readMs: 130 }, 'a share is never more than all')
  t.match(at(host(1, 1, 1), 1), { readMs: 130, busyMs: 25 }, 'a host that starts anew')
})

t.test('shares survive being written down', async t => {
  const kept = keptHere()
  const before = new DiskAccount({ diskTimes: 'apportion' }, kept)
  before.advance(disks({ hostDiskstats: host(1000, 500), io: io(100) }))
  const after = new DiskAccount({ diskTimes: 'apportion' }, kept)
  const [sda] = after.advance(disks({ hostDiskstats: host(1100, 600), io: io(150) }))
  t.equal(sda?.counters?.readMs, 50)
})

t.test('times that the cgroup counts are better than a share', async t => {
  const account = new DiskAccount({ diskTimes: 'apportion' })
  const [sda] = account.advance(
    disks({ hostDiskstats: host(10, 500), io: io(5, { readUsec: 77_000 }) }),
  )
  t.equal(sda?.counters?.readMs, 77)
})

const device = fc.constantFrom(SDA, SDA1, SDB, DM0, LOOP0)
const anyNode: fc.Arbitrary<BlockNode> = fc
  .tuple(
    fc.oneof(fc.constantFrom('sda', 'sdb', 'sda1', 'dm-0', '8', ''), fc.string({ unit: 'binary' })),
    device,
  )
  .map(([name, of]) => node(name, of, of === SDA1 ? SDA : undefined))
const counter = fc.oneof(fc.nat(20_000), fc.maxSafeNat())
const anyIo = fc.dictionary(
  fc.constantFrom('8:0', '8:16', '253:0', '7:0'),
  fc.record({ reads: counter, writes: counter, readBytes: counter, readUsec: counter }),
)
const reading = fc.record({
  nodes: fc.array(anyNode, { maxLength: 6 }),
  rootDisk: fc.option(device, { nil: undefined }),
  io: anyIo.map(
    io => new Map(Object.entries(io).map(([key, part]) => [key, { ...NO_IO, ...part }] as const)),
  ),
})

t.test('readers can parse every row, names are unique, counters only grow', async () => {
  fc.assert(
    fc.property(
      fc.array(reading, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('zero' as const, 'apportion' as const),
      fc.constantFrom(14, 18, 20),
      (readings, diskTimes, columns) => {
        const account = new DiskAccount({ diskTimes })
        const before = new Map<string, VisibleDisk>()
        for (const sources of readings) {
          const visible = account.advance(
            visibleDisks({
              ...sources,
              hostDiskstats: HOST_DISKSTATS,
              hostPartitions: HOST_PARTITIONS,
              options: { openEulerEmptyNames: 'off' },
            }),
          )
          checkText(renderDiskstatsRows(visible, columns), visible.length, columns)
          checkUnique(visible)
          for (const disk of visible) {
            const key = `${disk.major}:${disk.minor}`
            checkCounters(disk, before.get(key))
            before.set(key, disk)
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** What prometheus/procfs and psutil make of a row. */
function checkText(text: string, rows: number, columns: number): void {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.length !== rows) throw new Error('rows')
  for (const line of lines) {
    const words = line.trim().split(/\s+/)
    if (words.length !== columns) throw new Error(`${words.length} words: ${line}`)
    const [, , name = '', ...numbers] = words
    if (/^\d*$/.test(name)) throw new Error(`name "${name}"`)
    if (!numbers.every(number => /^\d{1,16}$/.test(number))) throw new Error(line)
  }
}

function checkUnique(visible: readonly VisibleDisk[]): void {
  if (new Set(visible.map(disk => disk.name)).size !== visible.length) throw new Error('names')
}

function checkCounters(disk: VisibleDisk, before: VisibleDisk | undefined): void {
  for (const field of DISK_FIELDS) {
    const value = disk.counters?.[field] ?? Number.NaN
    if (!(value >= (before?.counters?.[field] ?? 0))) throw new Error(`${field} falls`)
    if (!(value <= (disk.hostCounters?.[field] ?? 0))) throw new Error(`${field} above the host's`)
  }
}
