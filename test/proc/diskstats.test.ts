import t from 'tap'
import { countColumns, renderDiskstats, renderDiskstatsRows } from '../../src/proc/diskstats.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'
import { DM0, disks, HOST_DISKSTATS, node, SDA_IO, SDB } from '../machines/disks.ts'

const view = (
  visible: ReturnType<typeof disks>,
  options: Partial<Options> = {},
  host = HOST_DISKSTATS,
) =>
  ({
    options: { ...DEFAULT_OPTIONS, ...options },
    hostFile: path => (path === 'proc/diskstats' ? host : ''),
    disks: () => visible,
  }) as View

const SDA_ROW = '   8       0 sda 192 0 2850 0 353 0 614792 0 0 0 0 0 0 0 0 0 0\n'

t.test('a container without devices sees the disk of its root', async t => {
  t.equal(renderDiskstats(view(disks())), SDA_ROW)
})

t.test('a device is called as its node', async t => {
  const io = new Map([
    ['8:0', SDA_IO],
    ['8:16', { ...SDA_IO, reads: 10 }],
  ])
  t.equal(
    renderDiskstats(view(disks({ nodes: [node('data', SDB)], io }))),
    `${SDA_ROW}   8      16 data 10 0 2850 0 353 0 480000 0 0 0 0 0 0 0 0 0 0\n`,
  )
})

t.test('a device without I/O is a row of zeros', async t => {
  t.equal(
    renderDiskstats(view(disks({ nodes: [node('data', SDB)], rootDisk: undefined }))),
    `   8      16 data${' 0'.repeat(17)}\n`,
  )
})

t.test('a device without a node has an empty name, if wanted', async t => {
  const io = new Map([['253:0', { ...SDA_IO, writes: 1, writeBytes: 0 }]])
  const visible = disks({ io, rootDisk: undefined, options: { openEulerEmptyNames: 'on' } })
  t.equal(renderDiskstats(view(visible)), ` 253       0  192 0 2850 0 1${' 0'.repeat(12)}\n`)
})

t.test('a row has as many columns as the first of the host', async t => {
  const row = (words: number) => `   8       0 sda${' 1'.repeat(words - 3)}\n`
  for (const [host, columns] of [
    [14, 14],
    [18, 18],
    [20, 20],
    [7, 14],
    [15, 14],
    [17, 14],
    [19, 18],
    [23, 20],
  ] as const) {
    t.equal(countColumns(row(host)), columns, `${host}`)
    const text = renderDiskstats(view(disks(), {}, row(host) + row(20)))
    t.equal(text.trim().split(/\s+/).length, columns)
  }
  t.equal(countColumns(''), 14)
})

t.test('a host of Linux 4.14 has no discards', async t => {
  t.equal(renderDiskstatsRows(disks(), 14), '   8       0 sda 192 0 2850 0 353 0 614792 0 0 0 0\n')
  t.equal(
    renderDiskstatsRows(disks(), 18),
    '   8       0 sda 192 0 2850 0 353 0 614792 0 0 0 0 0 0 0 0\n',
  )
})

t.test('numbers and names wider than their columns push the rest to the right', async t => {
  const wide = disks({
    hostDiskstats: '12345 12345678 nvme0n1 1 2 3 4 5 6 7 8 9 10 11\n',
    rootDisk: { major: 12345, minor: 12345678 },
  })
  t.equal(renderDiskstatsRows(wide, 14), `12345 12345678 sda${' 0'.repeat(11)}\n`)
})

t.test('without a visible device the file is empty', async t => {
  t.equal(renderDiskstats(view([])), '')
  t.equal(renderDiskstats(view([], {}, '')), '')
})

t.test('what only partitions lists is no row', async t => {
  t.equal(renderDiskstatsRows(disks({ hostDiskstats: '', nodes: [node('x', DM0)] }), 20), '')
})

t.test("the option shows the host's", async t => {
  t.equal(renderDiskstats(view(disks(), { diskstats: 'host' })), HOST_DISKSTATS)
})

t.test("a process of the host sees the host's", async t => {
  t.equal(renderDiskstats({ ...view([]), disks: () => undefined }), HOST_DISKSTATS)
})
