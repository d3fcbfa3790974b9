/** free, top, vmstat, uptime, w and ps of procps-ng count the container's memory, CPUs and time. */

import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { keepBusy, type Limited, limited, needsFiles, numbersAfter } from './limited.ts'

const MINUTE_MS = 60_000

const programs = needsFiles({ '/usr/bin/free': 'procps', '/usr/bin/w': 'procps' })

t.test('procps in two containers', programs, async t => {
  for (const container of await limited(t)) {
    t.test(container.box.id, async t => {
      await checkMemory(t, container)
      await checkCpus(t, container)
      await checkUptime(t, container)
      await checkProcesses(t, container)
      await checkDisks(t, container)
    })
  }
})

async function checkMemory(t: Test, { box, memoryKib, sharedKib }: Limited): Promise<void> {
  const free = await box.sh('/usr/bin/free -k')
  const [total, used = 0, unused = 0, shared, cache = 0, available = 0] = numbersAfter(free, 'Mem:')
  t.equal(total, memoryKib, 'free: total')
  t.equal(shared, sharedKib, 'free: shared')
  t.ok(used >= sharedKib && used < sharedKib + 32 * 1024, free)
  t.ok(unused + cache <= memoryKib, free)
  t.ok(available >= unused && available <= memoryKib, free)
  const [swapTotal = 0, swapUsed = 0, swapFree] = numbersAfter(free, 'Swap:')
  t.equal(swapTotal - swapUsed, swapFree, 'free: swap')

  t.match(await box.sh('/usr/bin/vmstat -s'), new RegExp(`^ *${memoryKib} K total memory$`, 'm'))
  const counts = await box.sh('/usr/bin/vmstat -s')
  const countOf = (what: string) =>
    Number(new RegExp(`^ *(\\d+)(?: K)? ${what}$`, 'm').exec(counts)?.[1])
  // Debian 12 calls these "pages paged in", which are KiB.
  t.equal(countOf('pages swapped out'), 0, counts)
  t.ok(countOf('(?:pages|K) paged out') < memoryKib * 16, counts)
  const mib = (memoryKib / 1024).toFixed(1)
  t.match(await box.sh('/usr/bin/top -b -n 1'), new RegExp(`^MiB Mem : +${mib} total,`, 'm'))
}

async function checkCpus(t: Test, container: Limited): Promise<void> {
  const { box, cpus } = container
  await keepBusy(container, 5)
  const top = await box.sh('/usr/bin/top -1 -b -n 2 -d 2 -w 512')
  const interval = top.slice(top.lastIndexOf('top - '))
  const perCpu = [...interval.matchAll(/%Cpu(\d+) *:(.*?) st/g)]
  t.strictSame(
    perCpu.map(([, cpu]) => cpu),
    [...Array(cpus).keys()].map(String),
    'top: CPUs',
  )
  const idle = perCpu.map(([, , percents = '']) => Number(/([\d.]+) id/.exec(percents)?.[1]))
  // All of it where nothing else runs.
  t.ok(Math.min(...idle) < 80, `top: a busy CPU among ${idle}`)

  // Its first line is since boot. Interrupts and context switches are the host's.
  const last = (await box.sh('/usr/bin/vmstat 1 2')).trim().split('\n').at(-1) ?? ''
  const columns = last.trim().split(/ +/).map(Number)
  t.equal(columns.length, 17, last)
  t.ok((columns[0] ?? 0) >= 1, 'vmstat: what reads is running')
  const percent = columns.slice(12).reduce((sum, value) => sum + value, 0)
  t.ok(percent >= 97 && percent <= 103, `vmstat: us sy id wa st of ${last}`)
}

async function checkUptime(t: Test, { box }: Limited): Promise<void> {
  const form = /^ [\d:]+ up [01] min, +0 users?, +load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d/
  t.match(await box.sh('/usr/bin/uptime'), form)
  t.match(await box.sh('/usr/bin/w'), form, 'w')
  t.match(await box.sh('/usr/bin/uptime -p'), /^up [01] minutes?$/)
  const since = Date.parse(`${await box.sh('TZ=UTC /usr/bin/uptime -s')}Z`)
  t.ok(Math.abs(Date.now() - since) < MINUTE_MS, `uptime -s: ${new Date(since).toISOString()}`)
}

/**
 * START is the host's boot time and the process's start after it, both of which the container has from the host.
 * ELAPSED and %CPU compare that start with the uptime, which is the container's: they mean nothing here.
 */
async function checkProcesses(t: Test, { box, memoryKib }: Limited): Promise<void> {
  const ps = await box.sh('LC_ALL=C TZ=UTC /usr/bin/ps -o rss=,pmem=,lstart= -p 1')
  const [, rss = '', percent, start = ''] = /^ *(\d+) +([\d.]+) (.*)$/.exec(ps) ?? []
  const permille = Math.floor((Number(rss) * 1000) / memoryKib)
  t.equal(Number(percent), permille / 10, `ps: %MEM of ${rss} KiB in ${memoryKib}`)
  t.ok(Math.abs(Date.now() - Date.parse(`${start} UTC`)) < MINUTE_MS, `ps: ${start}`)
  t.match(await box.sh('/usr/bin/ps aux'), /^0 +1 .* sleep 1000$/m)
}

/**
 * vmstat -d prints the disks of diskstats that it finds in /sys/block too, which is the host's. The container's
 * root disk is called sda whatever the host calls it, so vmstat leaves it out where there is no such disk.
 */
async function checkDisks(t: Test, { box }: Limited): Promise<void> {
  const diskstats = await box.cat('/proc/diskstats')
  const names = diskstats.split('\n').map(line => line.trim().split(/ +/)[2] ?? '')
  const found = names.filter(name => readdirSync('/sys/block').includes(name))
  const shown = (await box.sh('/usr/bin/vmstat -d -n')).split('\n').slice(2)
  t.strictSame(
    shown.filter(line => line !== '').map(line => line.split(' ')[0]),
    found,
    'vmstat -d',
  )
}
