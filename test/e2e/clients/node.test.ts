/** The os module of Node: libuv takes nearly all of it from the container's files. */

import { cpus as hostCpus } from 'node:os'
import t from 'tap'
import { needs } from '../../kit/requirements.ts'
import { keepBusy, limited, NODE } from './limited.ts'

interface Seen {
  cpus: { model: string; times: Record<string, number> }[]
  later: { times: Record<string, number> }[]
  totalmem: number
  freemem: number
  uptime: number
  loadavg: number[]
  availableParallelism: number
}

/** 1 s apart, so that CPU time passes. */
const SCRIPT = `
const os = require('os')
const seen = { cpus: os.cpus() }
setTimeout(() => {
  seen.later = os.cpus()
  for (const name of ['totalmem', 'freemem', 'uptime', 'loadavg', 'availableParallelism']) {
    seen[name] = os[name]()
  }
  console.log(JSON.stringify(seen))
}, 1000)`

t.test('Node in two containers', needs('runc'), async t => {
  for (const container of await limited(t)) {
    const { box, memoryKib, cpus, sharedKib } = container
    t.test(box.id, async t => {
      await keepBusy(container, 3)
      const seen: Seen = JSON.parse(await box.sh(`${NODE} -e "${SCRIPT}"`))
      const memoryBytes = memoryKib * 1024
      t.equal(seen.totalmem, memoryBytes)
      t.ok(seen.freemem > memoryBytes / 4, `${seen.freemem} free`)
      t.ok(seen.freemem < memoryBytes - sharedKib * 1024, `${seen.freemem} free`)

      t.equal(seen.cpus.length, cpus)
      t.equal(seen.later.length, cpus)
      const [host] = hostCpus()
      for (const { model } of seen.cpus) t.equal(model, host?.model)
      const passedMs = seen.later.map(({ times }, i) => sum(times) - sum(seen.cpus[i]?.times ?? {}))
      // /proc/stat counts in ticks of 10 ms. What a quota of less than the CPU forbids is steal, which Node leaves out.
      for (const ms of passedMs) t.ok(ms > 600 && ms < 1600, `${ms} ms pass on a CPU`)
      const busyMs = seen.later.map(({ times }, i) => {
        const before = seen.cpus[i]?.times ?? {}
        return sum(times) - sum(before) - ((times.idle ?? 0) - (before.idle ?? 0))
      })
      t.ok(Math.max(...busyMs) > 200, `${busyMs} ms of work`)

      t.ok(seen.uptime > 1 && seen.uptime < 60, `up for ${seen.uptime} s`)
      t.ok(
        seen.loadavg.every(load => load >= 0 && load < 4),
        `loads ${seen.loadavg}`,
      )

      // sched_getaffinity(2), which knows no quota. Nodes to come read cpu.max of a mounted cgroup2 as well.
      t.equal(seen.availableParallelism, hostCpus().length)
    })
  }
})

function sum(times: Readonly<Record<string, number>>): number {
  return Object.values(times).reduce((total, ms) => total + ms, 0)
}
