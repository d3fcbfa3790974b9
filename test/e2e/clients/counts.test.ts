/** Programs that count CPUs: those that read the container's files, and those that ask the kernel. */

import { cpus as hostCpus } from 'node:os'
import t from 'tap'
import { limited, needsFiles } from './limited.ts'

const programs = needsFiles({
  '/usr/bin/lscpu': 'util-linux',
  '/usr/bin/getconf': 'libc-bin',
  '/usr/bin/nproc': 'coreutils',
})

t.test('counts of CPUs in two containers', programs, async t => {
  for (const { box, cpus } of await limited(t)) {
    const onlineCpus = [...Array(cpus).keys()]
    t.equal(await box.sh('getconf _NPROCESSORS_ONLN'), String(cpus), 'getconf')
    t.equal(await box.sh('grep -c ^processor /proc/cpuinfo'), String(cpus))
    t.equal(await box.sh('grep -c ^cpu[0-9] /proc/stat'), String(cpus))

    const table = await box.sh('lscpu --parse=CPU')
    const rows = table.split('\n').filter(line => !line.startsWith('#'))
    t.strictSame(rows, onlineCpus.map(String), 'lscpu --parse')
    const lscpu = await box.sh('LC_ALL=C lscpu')
    const online = /^On-line CPU\(s\) list: +(.*)$/m.exec(lscpu)?.[1]
    t.strictSame(expand(online), onlineCpus, `lscpu: ${online}`)

    t.match(lscpu, new RegExp(`^CPU\\(s\\): +${cpus}$`, 'm'), 'lscpu: CPU(s)')

    // `possible` sizes arrays that programs index by the number of the CPU they run on, so it stays the host's.
    const possible = expand(await box.cat('/sys/devices/system/cpu/possible'))
    t.equal(await box.sh('getconf _NPROCESSORS_CONF'), String(possible.length))

    // sched_getaffinity(2) knows the cpuset and no quota.
    t.equal(await box.sh('/usr/bin/nproc'), String(hostCpus().length), 'nproc')
    t.equal(await box.sh('busybox nproc'), String(hostCpus().length), 'nproc of busybox')
  }
})

t.test('a cpuset counts for nproc too', programs, async t => {
  const [container] = await limited(t)
  await container?.box.update('--cpuset-cpus', '0', '--cpu-quota', '-1')
  t.equal(await container?.box.sh('/usr/bin/nproc; getconf _NPROCESSORS_ONLN'), '1\n1')
})

/** `0-1,4` and `0,1,4` are the same list. */
function expand(list = ''): number[] {
  return list
    .split(',')
    .filter(part => part !== '')
    .flatMap(part => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}
