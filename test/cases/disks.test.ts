/** What a container's /proc/diskstats and /proc/partitions show: the disk of its root and what it has nodes of. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SAMPLE_HOST } from '../machines/sample-host.ts'
import { MKNOD, makeNode, mountHostRoot, mountRoot } from './block-devices.ts'
import { SDA_IO as IO, onSda1, prepare, rows } from './disk-rows.ts'
import { type Tenant, unified } from './tenant.ts'

const HEADING = 'major minor  #blocks  name\n\n'
const SDA_ROW = '   8       0 sda 192 0 2850 0 353 0 614792 0 0 0 0 0 0 0 0 0 0\n'
const SDA_SIZE = '   8        0  268435456 sda\n'
const ZEROS = `${' 0'.repeat(17)}\n`

const names = (tenant: Tenant) => Object.keys(rows(tenant))
const listed = (tenant: Tenant) => tenant.read('partitions').slice(HEADING.length)

t.test('the disk that holds the root directory is sda, whole, with the own I/O', async t => {
  const tenant = onSda1(t)
  t.equal(tenant.read('diskstats'), SDA_ROW)
  t.equal(tenant.read('partitions'), HEADING + SDA_SIZE)
})

t.test('the root directory of an overlay is where its upper directory is', async t => {
  const tenant = unified(t, {})
  mountHostRoot(tenant, '8:0 / / rw - ext4 /dev/sda rw')
  mkdirSync(join(tenant.machine.directory, 'var/lib/upper'), { recursive: true })
  tenant.set({ '/ctr/io.stat': IO })
  mountRoot(tenant, '0:50 / / rw - overlay overlay rw,lowerdir=/none,upperdir=/var/lib/upper')
  t.equal(tenant.read('diskstats'), SDA_ROW)
  t.equal(listed(tenant), SDA_SIZE)
})

t.test('a device is called as the container calls it', MKNOD, async t => {
  const tenant = onSda1(t, { '/ctr/io.stat': `${IO}8:16 rios=7 rbytes=4096\n` })
  makeNode(tenant, 'data', '8:16')
  t.equal(tenant.read('diskstats'), `${SDA_ROW}   8      16 data 7 0 8${' 0'.repeat(14)}\n`)
  t.equal(listed(tenant), `${SDA_SIZE}   8       16  104857600 data\n`)
})

t.test('a device without I/O is listed with zeros', MKNOD, async t => {
  const tenant = onSda1(t)
  makeNode(tenant, 'data', '8:16')
  t.equal(tenant.read('diskstats'), `${SDA_ROW}   8      16 data${ZEROS}`)
})

t.test('a device without a node is not listed, whatever was done on it', async t => {
  const tenant = onSda1(t, { '/ctr/io.stat': `${IO}253:0 rios=5 rbytes=512\n` })
  t.equal(tenant.read('diskstats'), SDA_ROW)
  tenant.reopen({ openEulerEmptyNames: 'on' })
  t.equal(tenant.read('diskstats'), `${SDA_ROW} 253       0  5 0 1${' 0'.repeat(14)}\n`)
  t.equal(listed(tenant), SDA_SIZE, 'a partition has a name')
})

t.test('a row has as many words as those of the host', async t => {
  for (const numbers of [11, 15, 17]) {
    const host = `${SAMPLE_HOST['proc/diskstats']}`.replace(/^.*$/gm, line =>
      line
        .split(/( +)/)
        .slice(0, 2 * (numbers + 3) + 1)
        .join(''),
    )
    const tenant = onSda1(t, { 'proc/diskstats': host })
    t.equal(rows(tenant).sda?.length, numbers)
  }
})

t.test('a root directory in memory or on the network has no disk', MKNOD, async t => {
  for (const root of ['0:45 / / rw - tmpfs tmpfs rw', '0:46 / / rw - nfs4 server:/export rw']) {
    const tenant = prepare(unified(t, { '/ctr/io.stat': IO }), root)
    t.equal(tenant.read('diskstats'), '')
    t.equal(tenant.read('partitions'), HEADING)
  }
  const tenant = prepare(unified(t, { '/ctr/io.stat': IO }), '0:45 / / rw - tmpfs tmpfs rw')
  makeNode(tenant, 'vda', '8:0')
  t.same(names(tenant), ['vda'], 'but nodes count')
})

t.test('a root directory on a mapped device has that for its disk', async t => {
  const tenant = prepare(
    unified(t, { '/ctr/io.stat': '253:0 rios=5 rbytes=2560\n' }),
    '253:0 / / rw - xfs /dev/dm-0 rw',
  )
  t.equal(tenant.read('diskstats'), ` 253       0 sda 5 0 5${' 0'.repeat(14)}\n`)
  t.equal(listed(tenant), ' 253        0    1048576 sda\n')
})

t.test('a btrfs root directory is on the device that was mounted', MKNOD, async t => {
  const tenant = prepare(unified(t, { '/ctr/io.stat': IO }), '0:33 /@ / rw - btrfs /dev/sda1 rw')
  mountHostRoot(tenant, '8:1 / / rw - ext4 /dev/sda1 rw')
  makeNode(tenant, '/dev/sda1', '8:1')
  t.equal(tenant.read('diskstats'), SDA_ROW)
})

t.test('of several nodes the shortest name counts, then the alphabet', MKNOD, async t => {
  const tenant = onSda1(t)
  makeNode(tenant, 'mapper/data', '253:0')
  for (const name of ['xb', 'xa', 'long']) makeNode(tenant, name, '8:16')
  t.same(names(tenant), ['sda', 'xa', 'mapper/data'])
})

t.test('no second device is called sda', MKNOD, async t => {
  const tenant = onSda1(t)
  makeNode(tenant, 'sda', '8:16')
  t.same(names(tenant), ['sda', 'sdb'])
  t.equal(listed(tenant), `${SDA_SIZE}   8       16  104857600 sdb\n`)
  makeNode(tenant, 'sdb', '253:0')
  tenant.advance(11)
  t.same(names(tenant), ['sda', 'sdb'], "a device whose kernel's name is taken too is left out")
  t.match(rows(tenant).sdb, Array(17).fill(0))
})

t.test('a partition of the root disk is listed only with a node of its own', MKNOD, async t => {
  const tenant = onSda1(t)
  makeNode(tenant, 'sda1', '8:1')
  t.equal(tenant.read('diskstats'), `${SDA_ROW}   8       1 sda1${ZEROS}`)
  t.equal(listed(tenant), `${SDA_SIZE}   8        1  268434432 sda1\n`)
})

t.test(
  'a partition that is all there is of its disk has the numbers of the disk',
  MKNOD,
  async t => {
    const tenant = prepare(unified(t, { '/ctr/io.stat': IO }), '0:45 / / rw - tmpfs tmpfs rw')
    makeNode(tenant, 'part', '8:1')
    t.equal(tenant.read('diskstats'), SDA_ROW.replace('0 sda', '1 part'))
  },
)

t.test('an unused loop device is in diskstats only', MKNOD, async t => {
  const tenant = onSda1(t)
  makeNode(tenant, 'loop0', '7:0')
  t.same(names(tenant), ['sda', 'loop0'])
  t.equal(listed(tenant), SDA_SIZE)
})

t.test('a node that appears is listed ten seconds later', MKNOD, async t => {
  const tenant = onSda1(t)
  t.same(names(tenant), ['sda'])
  makeNode(tenant, 'data', '8:16')
  tenant.advance(10)
  t.same(names(tenant), ['sda', 'data'])
})

t.test("an operator may show the host's disks", async t => {
  const tenant = onSda1(t, {}, { options: { diskstats: 'host' } })
  t.equal(tenant.read('diskstats'), SAMPLE_HOST['proc/diskstats'])
})
