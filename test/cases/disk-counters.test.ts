/** What a container's /proc/diskstats counts, by v1 or the unified hierarchy. */

import t from 'tap'
import { SAMPLE_HOST } from '../machines/sample-host.ts'
import { MKNOD, makeNode } from './block-devices.ts'
import { SDA_IO as IO, onSda1, prepare, rows } from './disk-rows.ts'
import { legacy, unified } from './tenant.ts'

const ZEROS = `${' 0'.repeat(17)}\n`

const blkio = (read: number, write: number) =>
  `8:0 Read ${read}\n8:0 Write ${write}\n8:0 Sync 0\n8:0 Async 0\n8:0 Total ${read + write}\nTotal ${read + write}\n`

t.test('v1: BFQ speaks where CFQ is gone and throttling has counted nothing', async t => {
  const files = {
    '/ctr/blkio.throttle.io_serviced_recursive': 'Total 0',
    '/ctr/blkio.throttle.io_service_bytes_recursive': 'Total 0',
    '/ctr/blkio.bfq.io_serviced_recursive': blkio(10, 2),
    '/ctr/blkio.bfq.io_service_bytes_recursive': blkio(5120, 1024),
  }
  const tenant = prepare(legacy(t, files))
  t.equal(tenant.read('diskstats'), `   8       0 sda 10 0 10 0 2 0 2${' 0'.repeat(10)}\n`)
})

t.test('v1: of each device the part of the kernel speaks that counted most', async t => {
  const files = {
    '/ctr/blkio.bfq.io_serviced_recursive': blkio(10, 2),
    '/ctr/blkio.throttle.io_serviced_recursive': blkio(100, 20),
    '/ctr/blkio.throttle.io_service_bytes_recursive': blkio(51200, 10240),
  }
  const sda = rows(prepare(legacy(t, files))).sda
  t.same(sda?.slice(0, 7), [100, 0, 100, 0, 20, 0, 20])
})

t.test('v1: CFQ counts merges and times', async t => {
  const files = {
    '/ctr/blkio.io_serviced_recursive': blkio(100, 20),
    '/ctr/blkio.io_service_bytes_recursive': blkio(51200, 10240),
    '/ctr/blkio.io_merged_recursive': blkio(3, 0),
    '/ctr/blkio.io_service_time_recursive': blkio(5_000_000, 1_000_000),
    '/ctr/blkio.io_wait_time_recursive': blkio(2_000_000, 3_999_999),
  }
  const sda = rows(prepare(legacy(t, files))).sda
  t.same(sda, [100, 3, 100, 7, 20, 0, 20, 4, 0, 6, 11, 0, 0, 0, 0, 0, 0])
})

t.test('where no I/O is counted the disks are listed with zeros', MKNOD, async t => {
  for (const tenant of [
    unified(t, {}, { controllers: ['memory'] }),
    legacy(t, {}, { controllers: ['memory'] }),
    unified(t, { '/ctr/io.stat': undefined }),
  ]) {
    prepare(tenant)
    makeNode(tenant, 'data', '8:16')
    t.equal(tenant.read('diskstats'), `   8       0 sda${ZEROS}   8      16 data${ZEROS}`)
  }
})

t.test('io.stat may name a device alone, and with words of later kernels', async t => {
  t.equal(onSda1(t, { '/ctr/io.stat': '8:0' }).read('diskstats'), `   8       0 sda${ZEROS}`)
  const more = onSda1(t, { '/ctr/io.stat': `${IO.trim()} cost.usage=12 rfoo=7 dbytes=1024 dios=3` })
  t.same(rows(more).sda?.slice(11, 15), [0, 0, 0, 0], 'no more discards than on the host')
})

t.test('no counter is above that of the host, and none ever falls', async t => {
  const tenant = onSda1(t, { '/ctr/io.stat': '8:0 rios=99999999 rbytes=5120\n' })
  t.same(rows(tenant).sda?.slice(0, 3), [52344, 0, 10])
  tenant.set({ '/ctr/io.stat': '8:0 rios=3 rbytes=1024\n' })
  t.same(rows(tenant).sda?.slice(0, 3), [52344, 0, 10])
  tenant.set({ '/ctr/io.stat': '8:0 rios=3 rbytes=10240\n' })
  t.same(rows(tenant).sda?.slice(0, 3), [52344, 0, 20])
})

t.test('an operator may have its share of the time that I/O took on the host', async t => {
  const tenant = onSda1(t, {}, { options: { diskTimes: 'apportion' } })
  t.same(rows(tenant).sda?.slice(0, 11), [192, 0, 2850, 0, 353, 0, 614792, 0, 0, 0, 0])
  tenant.advance(5)
  tenant.set({
    '/ctr/io.stat': IO.replace('rios=192', 'rios=242'),
    'proc/diskstats': `${SAMPLE_HOST['proc/diskstats']}`
      .replace('52344 1024 4190208 30420', '52444 1024 4190208 30620')
      .replace(' 61440 121000', ' 61480 121200'),
  })
  t.same(rows(tenant).sda?.slice(0, 11), [242, 0, 2850, 100, 353, 0, 614792, 0, 0, 20, 100])
})
