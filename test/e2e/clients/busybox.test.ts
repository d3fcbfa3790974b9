/** The applets of busybox, which small images have: part of what they show is sysinfo(2)'s, the host's. */

import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import t from 'tap'
import { needs } from '../../kit/requirements.ts'
import { keepBusy, limited, numbersAfter } from './limited.ts'

t.test('busybox in two containers', needs('runc'), async t => {
  const hostKib = numbersAfter(readFileSync('/proc/meminfo', 'utf8'), 'MemTotal:')[0]
  for (const container of await limited(t)) {
    const { box, memoryKib, sharedKib } = container
    t.test(box.id, async t => {
      const free = await box.sh('busybox free -k')
      const [total, used, , , , available = 0] = numbersAfter(free, 'Mem:')
      t.equal(total, hostKib, "the total is the host's: sysinfo(2)")
      t.ok(used !== undefined && available <= memoryKib - sharedKib, 'what is available is not')

      await keepBusy(container, 4)
      const top = await box.sh('busybox top -b -n 2 -d 2')
      const [used2 = 0, unused = 0, shared, , cached = 0] = numbersAfter(top, 'Mem: ')
      t.equal(used2 + unused, memoryKib, 'top: used and free')
      t.equal(shared, sharedKib)
      t.ok(cached >= sharedKib)
      const interval = top.slice(top.lastIndexOf('Mem: '))
      const [user = 0, system = 0, , idle = 0] = numbersAfter(interval, 'CPU: ')
      // Two CPUs share one loop.
      t.ok(user + system > 10 && idle < 90, interval)
      const loads = numbersAfter(interval, 'Load average: ')
      t.ok(loads.slice(0, 3).every(load => load < 4))
      const [running = 0, threads = 0] = loads.slice(3)
      t.ok(running >= 1 && threads >= running && threads < 20, `${running} of ${threads} threads`)

      // sysinfo(2) as well, while /proc/uptime is the container's.
      const shown = minutesUp(await box.sh('busybox uptime'))
      t.ok(Math.abs(shown - uptime() / 60) <= 2, `up for ${shown} minutes`)
      const [seconds = Number.NaN] = numbersAfter(await box.cat('/proc/uptime'), '')
      t.ok(seconds < 60)
    })
  }
})

/** `up 3 days,  4:21`, `up  4:21` or `up 5 min`. */
function minutesUp(text: string): number {
  const [, days = 0] = /(\d+) days?,/.exec(text) ?? []
  const [, hours = 0, minutes] = /up .*?(\d+):(\d+),/.exec(text) ?? []
  const [, only] = /(\d+) min,/.exec(text) ?? []
  return Number(days) * 1440 + Number(hours) * 60 + Number(minutes ?? only)
}
