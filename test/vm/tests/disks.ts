/** A device that a container got: its name there, its size, and the container's own I/O by io.stat. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { needs } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { cgroupOf, launch, RUNTIMES, read } from '../container.ts'

const [DISK = '/dev/missing'] = (process.env.VM_DISKS ?? '').split(' ')
const DISK_KIB = 256 * 1024

/** The numbers of io.stat, in the order of diskstats: reads, sectors read, writes, sectors written. */
function parseIoStat(text: string, number: string): number[] {
  const line = text.split('\n').find(line => line.startsWith(`${number} `)) ?? ''
  const count = (key: string) => Number(new RegExp(` ${key}=(\\d+)`).exec(line)?.[1])
  return [count('rios'), count('rbytes') / 512, count('wios'), count('wbytes') / 512]
}

for (const runtime of RUNTIMES) {
  const program = runtime.split(' ').at(-1) ?? runtime
  t.test(`I/O on a device under ${runtime}`, needs(program), async t => {
    const device = { host: DISK, inside: '/dev/data' }
    const box = await launch(t, site(t), runtime, 'disk', { device })
    const rows = async () => {
      const [diskstats = ''] = await read(box, '/proc/diskstats')
      return diskstats
        .trim()
        .split('\n')
        .map(row => row.trim().split(/ +/))
    }
    t.strictSame(
      (await rows()).map(row => row[2]),
      ['sda', 'data'],
      'the root disk, and the device by its name in /dev',
    )
    const [partitions = ''] = await read(box, '/proc/partitions')
    t.match(partitions, new RegExp(`^ +\\d+ +\\d+ +${DISK_KIB} data$`, 'm'))
    t.notMatch(partitions, /vd[a-z]/)

    // Past the page cache, which others may have filled, and whose writes count for who first used a page.
    await box.sh(
      'dd if=/dev/data of=/dev/null bs=64k count=32 iflag=direct 2>/dev/null; ' +
        'dd if=/dev/zero of=/dev/data bs=64k count=16 oflag=direct 2>/dev/null',
    )
    const row = (await rows()).find(row => row[2] === 'data') ?? []
    const counted = [3, 5, 7, 9].map(column => Number(row[column]))
    const ioStat = readFileSync(`${await cgroupOf(box)}/io.stat`, 'utf8')
    t.strictSame(counted, parseIoStat(ioStat, `${row[0]}:${row[1]}`))
    const [, sectorsRead = 0, , sectorsWritten = 0] = counted
    t.ok(sectorsRead >= 32 * 128, `${sectorsRead} sectors read`)
    t.ok(sectorsWritten >= 16 * 128, `${sectorsWritten} sectors written`)
    const host = readFileSync('/proc/diskstats', 'utf8').split('\n')[0]?.trim().split(/ +/)
    t.equal(row.length, host?.length, 'as many columns as the host')
  })
}
