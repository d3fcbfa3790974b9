/** psutil, which most of Python's monitors read with. */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { type Limited, limited, needsFiles } from './limited.ts'

/** Debian's, whichever one comes first in PATH. */
const PYTHON = '/usr/bin/python3'
const programs = needsFiles({
  [PYTHON]: 'python3-minimal',
  '/usr/lib/python3/dist-packages/psutil/__init__.py': 'python3-psutil',
})

type Times = Readonly<Record<string, number>>

interface Seen {
  times: Times
  percpu: Times[]
  later: Times[]
  memory: Readonly<Record<string, number>>
  swap: Readonly<Record<string, number>>
  disks: Readonly<Record<string, Readonly<Record<string, number>>>>
  boot_time: number
  count: number
  affinity: number
  stats: Readonly<Record<string, number>>
}

/** Works for about a second between the two readings. */
const SCRIPT = `
import json, os, time, psutil
asdict = lambda value: value._asdict()
seen = dict(
  times=asdict(psutil.cpu_times()),
  percpu=[asdict(cpu) for cpu in psutil.cpu_times(percpu=True)],
  memory=asdict(psutil.virtual_memory()),
  swap=asdict(psutil.swap_memory()),
  disks={name: asdict(disk) for name, disk in psutil.disk_io_counters(perdisk=True, nowrap=False).items()},
  boot_time=psutil.boot_time(),
  count=psutil.cpu_count(),
  affinity=len(os.sched_getaffinity(0)),
  stats=asdict(psutil.cpu_stats()))
end = time.monotonic() + 1
while time.monotonic() < end: pass
seen['later'] = [asdict(cpu) for cpu in psutil.cpu_times(percpu=True)]
print(json.dumps(seen))`

t.test('psutil in two containers', programs, async t => {
  for (const container of await limited(t)) {
    t.test(container.box.id, async t => {
      const seen = await read(container)
      const { memoryKib, cpus, sharedKib } = container
      const { total, available = 0, used = 0, free = 0, shared } = seen.memory
      t.equal(total, memoryKib * 1024)
      t.equal(shared, sharedKib * 1024)
      t.ok(free > 0 && free <= available && available + sharedKib * 1024 <= memoryKib * 1024)
      t.ok(used >= 0 && used < 64 * 2 ** 20, `${used} bytes used`)
      t.equal((seen.swap.used ?? 0) + (seen.swap.free ?? 0), seen.swap.total)
      t.match(seen.swap, { sin: 0, sout: 0 })

      t.equal(seen.count, cpus)
      t.equal(seen.percpu.length, cpus)
      t.equal(seen.later.length, cpus)
      // sched_getaffinity(2), which knows no quota.
      t.equal(seen.affinity, availableParallelism())
      t.ok(sum(seen.times) < 60 * cpus, 'times since the container started, not the host')
      const work = seen.later.map((times, i) => busy(times) - busy(seen.percpu[i] ?? {}))
      t.ok(Math.max(...work) > 0.2, `${work} s of work`)
      for (const [i, times] of seen.later.entries()) {
        for (const [field, seconds] of Object.entries(times)) {
          t.ok(seconds >= (seen.percpu[i]?.[field] ?? 0), `${field} of CPU ${i}`)
        }
      }

      const btime = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
      t.ok(Math.abs(seen.boot_time - Number(btime)) <= 1, 'the start of processes counts from it')
      t.ok(Object.values(seen.stats).every(count => count >= 0))
      const names = (await container.box.cat('/proc/diskstats')).trim().split('\n')
      t.strictSame(
        Object.keys(seen.disks),
        names.filter(line => line !== '').map(line => line.trim().split(/ +/)[2]),
        'disks',
      )
    })
  }
})

async function read({ box }: Limited): Promise<Seen> {
  return JSON.parse(await box.sh(`${PYTHON} - <<'END'${SCRIPT}\nEND`))
}

const sum = (times: Times) => Object.values(times).reduce((total, seconds) => total + seconds, 0)
const busy = (times: Times) => (times.user ?? 0) + (times.system ?? 0)
