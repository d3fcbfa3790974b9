import t from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { NO_IO, parseBlkio, parseIoStat } from '../../src/cgroup/io.ts'
import { IoV1 } from '../../src/cgroup/v1/io.ts'
import { IoV2 } from '../../src/cgroup/v2/io.ts'
import { machine } from '../machines/machine.ts'

t.test('io.stat counts by device, in any order', async t => {
  const disks = parseIoStat(
    '8:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=4096 dios=1\n' +
      '253:0 wios=2 rios=1\n',
  )
  t.same([...disks.keys()], ['8:0', '253:0'])
  t.same(disks.get('8:0'), {
    ...NO_IO,
    reads: 192,
    writes: 353,
    discards: 1,
    readBytes: 1459200,
    writeBytes: 314773504,
    discardBytes: 4096,
  })
  t.same(disks.get('253:0'), { ...NO_IO, reads: 1, writes: 2 })
})

t.test('a device without keys has counted nothing, keys we do not know count nothing', async t => {
  const disks = parseIoStat('8:0\n8:16 rios=1 cost.usage=77 xrios=5 rios2=6\n')
  t.same(disks.get('8:0'), NO_IO)
  t.same(disks.get('8:16'), { ...NO_IO, reads: 1 })
})

t.test('two devices on one line are two devices', async t => {
  const disks = parseIoStat('8:0 8:16 rios=3\n')
  t.same(disks.get('8:0'), NO_IO)
  t.same(disks.get('8:16'), { ...NO_IO, reads: 3 })
})

t.test('damaged counters of io.stat are 0, other damage is left out', async t => {
  const disks = parseIoStat(
    'rios=4\n8:0 rios=-1 wios=1e9 rbytes=99999999999999999999 wbytes= dios=7\n(unknown) rios=1',
  )
  t.same([...disks], [['8:0', { ...NO_IO, discards: 7 }]])
  t.equal(parseIoStat('').size, 0)
})

t.test('a missing last newline and blanks at the end change nothing', async t => {
  t.same(parseIoStat('8:0 rios=1 \n8:16 rios=2'), parseIoStat('8:0 rios=1\n8:16 rios=2\n'))
  t.same(parseBlkio('8:0 Read 1 \n8:0 Write 2'), parseBlkio('8:0 Read 1\n8:0 Write 2\n'))
})

t.test('a file of blkio counts by device and kind', async t => {
  const text =
    '8:0 Read 10\n8:0 Write 5\n8:0 Sync 12\n8:0 Async 3\n8:0 Discard 1\n8:0 Total 16\nTotal 16\n'
  t.same([...parseBlkio(text)], [['8:0', { read: 10, write: 5, discard: 1, total: 16 }]])
  t.equal(parseBlkio('Total 0\n').size, 0)
  t.equal(parseBlkio('8:0 Read x\n8:0 Write\nx Read 1\n').size, 0)
})

const V1 = 'sys/fs/cgroup/blkio/ctr/'
const v1 = (t: Parameters<typeof machine>[0], files: Record<string, string>) =>
  new IoV1(
    new Group(
      machine(
        t,
        Object.fromEntries(Object.entries(files).map(([name, text]) => [V1 + name, text])),
      ),
      { version: 1, mountPoint: 'sys/fs/cgroup/blkio' },
      '/ctr',
    ),
  )

t.test('of each device the set that counted most speaks', async t => {
  const disks = v1(t, {
    'blkio.throttle.io_serviced_recursive': '8:16 Read 9\n8:16 Total 9\nTotal 9\n',
    'blkio.throttle.io_service_bytes_recursive': '8:16 Read 9216\n8:16 Total 9216\nTotal 9216\n',
    'blkio.bfq.io_serviced_recursive':
      '8:0 Read 10\n8:0 Total 10\n8:16 Read 3\n8:16 Total 3\nTotal 13\n',
    'blkio.bfq.io_service_bytes_recursive': '8:0 Read 40960\n8:16 Read 512\n',
  }).disks()
  t.same(disks?.get('8:0'), { ...NO_IO, reads: 10, readBytes: 40960 })
  t.same(disks?.get('8:16'), { ...NO_IO, reads: 9, readBytes: 9216 })
})

t.test('BFQ speaks where CFQ is gone and throttling has counted nothing', async t => {
  const disks = v1(t, {
    'blkio.throttle.io_serviced_recursive': 'Total 0\n',
    'blkio.throttle.io_service_bytes_recursive': 'Total 0\n',
    'blkio.bfq.io_serviced_recursive': '8:0 Read 10\n8:0 Total 10\nTotal 10\n',
  }).disks()
  t.same([...(disks ?? [])], [['8:0', { ...NO_IO, reads: 10 }]])
})

t.test('CFQ counts merges and times too', async t => {
  const all = (read: number, write: number) =>
    `8:0 Read ${read}\n8:0 Write ${write}\n8:0 Total ${read + write}\nTotal ${read + write}\n`
  const disks = v1(t, {
    'blkio.io_serviced_recursive': all(10, 20),
    'blkio.io_service_bytes_recursive': all(5120, 10240),
    'blkio.io_merged_recursive': all(1, 2),
    'blkio.io_service_time_recursive': all(3_000_000, 5_000_999),
    'blkio.io_wait_time_recursive': all(1_000_000, 1),
  }).disks()
  t.same(disks?.get('8:0'), {
    ...NO_IO,
    reads: 10,
    writes: 20,
    readBytes: 5120,
    writeBytes: 10240,
    readMerges: 1,
    writeMerges: 2,
    readUsec: 4000,
    writeUsec: 5001,
    serviceUsec: 8000,
  })
})

t.test('a file with the descendants is preferred to one without', async t => {
  const disks = v1(t, {
    'blkio.throttle.io_serviced_recursive': '8:0 Read 5\n8:0 Total 5\n',
    'blkio.throttle.io_serviced': '8:0 Read 2\n8:0 Total 2\n',
    'blkio.throttle.io_service_bytes': '8:0 Read 512\n8:0 Total 512\n',
  }).disks()
  t.same(disks?.get('8:0'), { ...NO_IO, reads: 5, readBytes: 512 })
})

t.test('a cgroup without any of the files counts nothing at all', async t => {
  t.equal(v1(t, {}).disks(), undefined)
  const none = machine(t, {})
  t.equal(
    new IoV2(new Group(none, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/ctr')).disks(),
    undefined,
  )
})

t.test('the unified hierarchy has all in io.stat', async t => {
  const host = machine(t, { 'sys/fs/cgroup/ctr/io.stat': '8:0 rios=1\n' })
  const io = new IoV2(new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/ctr'))
  t.same([...(io.disks() ?? [])], [['8:0', { ...NO_IO, reads: 1 }]])
  host.set({ 'sys/fs/cgroup/ctr/io.stat': '' })
  t.equal(io.disks()?.size, 0)
})
