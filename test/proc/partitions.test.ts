import t from 'tap'
import { parsePartitions } from '../../src/proc/disk/host-disks.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { renderPartitionRows, renderPartitions } from '../../src/proc/partitions.ts'
import type { View } from '../../src/proc/view.ts'
import { disks, HOST_PARTITIONS, LOOP0, node, SDA, SDA_IO, SDA1, SDB } from '../machines/disks.ts'

const HEADER = 'major minor  #blocks  name\n\n'
const ROOT_ROW = '   8        0  268435456 sda\n'

t.test('a container without devices sees the disk of its root, without partitions', async t => {
  const view: Partial<View> = {
    options: DEFAULT_OPTIONS,
    hostFile: () => HOST_PARTITIONS,
    disks: () => disks(),
  }
  t.equal(renderPartitions(view as View), HEADER + ROOT_ROW)
})

t.test('a device is called as its node', async t => {
  t.equal(
    renderPartitionRows(disks({ nodes: [node('data', SDB)] })),
    `${HEADER}${ROOT_ROW}   8       16  104857600 data\n`,
  )
})

t.test('a partition of the root disk with a node is a row', async t => {
  t.equal(
    renderPartitionRows(disks({ nodes: [node('sda1', SDA1, SDA)] })),
    `${HEADER}${ROOT_ROW}   8        1  268434432 sda1\n`,
  )
})

t.test('a device of size 0 is none', async t => {
  const nodes = [node('sda1', LOOP0)]
  t.equal(renderPartitionRows(disks({ nodes })), HEADER + ROOT_ROW, 'the host does not list it')
  const hostPartitions = `${HOST_PARTITIONS}   7        0          0 loop0\n`
  t.equal(renderPartitionRows(disks({ nodes, hostPartitions })), HEADER + ROOT_ROW)
})

t.test('a loop device given as a disk is one', async t => {
  const hostPartitions = `${HOST_PARTITIONS}   7        0       1024 loop0\n`
  t.equal(
    renderPartitionRows(
      disks({ rootDisk: undefined, nodes: [node('sda1', LOOP0)], hostPartitions }),
    ),
    `${HEADER}   7        0       1024 sda1\n`,
  )
})

t.test('a device of any size is a row', async t => {
  const size = '9007199254740993'
  const hostPartitions = `${HOST_PARTITIONS}   7        0 ${size} loop0\n`
  t.equal(
    renderPartitionRows(disks({ rootDisk: undefined, nodes: [node('x', LOOP0)], hostPartitions })),
    `${HEADER}   7        0 ${size} x\n`,
  )
  const beyond = `${HOST_PARTITIONS}   7        0 18446744073709551616 loop0\n`
  t.equal(renderPartitionRows(disks({ nodes: [], hostPartitions: beyond })), HEADER + ROOT_ROW)
})

t.test('a device without a name is left out', async t => {
  const io = new Map([['8:16', SDA_IO]])
  t.equal(
    renderPartitionRows(disks({ io, options: { openEulerEmptyNames: 'on' } })),
    HEADER + ROOT_ROW,
  )
})

t.test('without a visible device the heading stays', async t => {
  t.equal(renderPartitionRows([]), HEADER)
})

t.test('rows of the host are parsed by device, whatever the blanks', async t => {
  const partitions = parsePartitions(HOST_PARTITIONS)
  t.same([...partitions.keys()], ['8:0', '8:1', '8:16', '253:0'])
  t.same(partitions.get('8:16'), { ...SDB, name: 'sdb', sizeKib: 104857600 })
  t.same(parsePartitions(HOST_PARTITIONS.trimEnd()), partitions)
  t.equal(parsePartitions('8 0 x sda\n8 0 -1 sda\n8 0\n').size, 0)
})

t.test('what the container sees can be parsed as the kernel has it', async t => {
  const visible = disks({ nodes: [node('data', SDB), node('sda1', SDA1, SDA)] })
  const parsed = [...parsePartitions(renderPartitionRows(visible)).values()]
  t.same(
    parsed.map(partition => partition.name),
    ['sda', 'sda1', 'data'],
  )
})

t.test("a process of the host sees the host's", async t => {
  const view: Partial<View> = { hostFile: () => HOST_PARTITIONS, disks: () => undefined }
  t.equal(renderPartitions(view as View), HOST_PARTITIONS)
})
