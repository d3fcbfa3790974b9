/** A container started by runc with our hook sees its own resources. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { started } from '../kit/box.ts'
import { BOUND, MOUNTED } from '../kit/files.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20
t.test('a container with a memory limit and one CPU', needs('runc'), async t => {
  const here = site(t)
  const before = {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    partitions: readFileSync('/proc/partitions', 'utf8'),
    online: readFileSync('/sys/devices/system/cpu/online', 'utf8'),
    memTotal: memTotal(readFileSync('/proc/meminfo', 'utf8')),
  }
  const box = await started(t, here, 'one', {
    memoryBytes: 256 * MiB,
    cpus: '0',
    hostPrograms: true,
  })

  const mounts = await box.sh('mount | grep lxcfs')
  for (const file of BOUND) {
    t.match(
      mounts,
      `lxcfs on ${file} type fuse.lxcfs (rw,nosuid,nodev,relatime,user_id=0,group_id=0,allow_other)`,
    )
  }
  t.equal(mounts.split('\n').length, MOUNTED.length, 'nothing else is mounted')

  t.match(await box.cat('/proc/meminfo'), /^MemTotal: {9}262144 kB$/m)

  const cpuinfo = await box.cat('/proc/cpuinfo')
  t.same(cpuinfo.match(/^processor\t: .*$/gm), ['processor\t: 0'])
  t.match(cpuinfo, /^physical id\t: 0$/m)
  t.match(cpuinfo, /^siblings\t: 1$/m)
  t.match(cpuinfo, /^core id\t\t: 0$/m)
  t.match(cpuinfo, /^cpu cores\t: 1$/m)

  const stat = await box.cat('/proc/stat')
  t.equal(stat.match(/^cpu/gm)?.length, 2, 'the aggregate and one CPU')
  t.equal(await box.cat('/sys/devices/system/cpu/online'), '0')

  const [uptime = Number.NaN, idle = Number.NaN] = (await box.cat('/proc/uptime'))
    .split(' ')
    .map(Number)
  t.ok(uptime >= 0 && uptime < 60, `up for ${uptime} s`)
  t.ok(idle <= uptime)

  t.match(await box.cat('/proc/loadavg'), /^0\.\d\d 0\.\d\d 0\.\d\d [1-9]\d*\/\d+ \d+$/)
  t.match(await box.cat('/proc/diskstats'), /^ +\d+ +\d+ sda /)
  t.match(
    await box.cat('/proc/partitions'),
    /^major minor {2}#blocks {2}name\n\n +\d+ +\d+ +\d+ sda$/,
  )
  t.match(await box.cat('/proc/swaps'), /^Filename\s+Type\s+Size\s+Used\s+Priority/)

  // Its total is sysinfo(2)'s, which no file can change; what is available it reads.
  t.match(await box.sh('busybox free'), /^Mem:.* 26\d{4}$/m)
  t.match(await box.sh('/usr/bin/free'), /^Mem: +262144 /m)
  t.match(await box.sh('busybox top -bn1'), /^Mem: /)
  t.match(await box.sh('/usr/bin/top -bn1'), /^MiB Mem : +256\.0 total/m)
  t.match(await box.sh('/usr/bin/uptime'), /up 0 min/)
  t.equal(await box.sh('getconf _NPROCESSORS_ONLN'), '1')

  t.test('on the host nothing changed but the shared mount', async t => {
    const mine = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter(line => !before.mounts.includes(line) && line.includes(here.directory))
    t.equal(mine.length, 1)
    t.match(mine[0], ` ${here.mountPoint} `)
    t.equal(readFileSync('/proc/partitions', 'utf8'), before.partitions)
    t.equal(readFileSync('/sys/devices/system/cpu/online', 'utf8'), before.online)
    t.equal(memTotal(readFileSync('/proc/meminfo', 'utf8')), before.memTotal)
  })

  t.test('the text does not depend on how it is read', async t => {
    for (const file of ['/proc/cpuinfo', '/proc/partitions', '/proc/swaps']) {
      const whole = await box.cat(file)
      t.equal(await box.sh(`dd if=${file} bs=1 2>/dev/null`), whole, `${file} byte by byte`)
      t.equal(await box.sh(`stat -c %s ${file}`), '0')
      t.equal(
        await box.sh(`busybox cp ${file} /tmp/copy && cat /tmp/copy && rm -f /tmp/copy`),
        whole,
        'by sendfile',
      )
      t.equal(await box.sh(`tail -n 1 ${file}`), whole.slice(whole.lastIndexOf('\n') + 1))
    }
  })

  t.test('nobody writes', async t => {
    for (const [command, error] of [
      ['echo 1 > /proc/meminfo', 'Permission denied'],
      ['echo 1 >> /proc/stat', 'Permission denied'],
      ['chmod 600 /proc/stat', 'Read-only file system'],
      ['rm /proc/stat', 'Permission denied'],
    ] as const) {
      t.match(await box.sh(`{ ${command}; } 2>&1; true`), error, command)
    }
  })
})

function memTotal(meminfo: string): string | undefined {
  return /^MemTotal:.*$/m.exec(meminfo)?.[0]
}
