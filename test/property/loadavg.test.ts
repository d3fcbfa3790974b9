/** The load averages are the kernel's, computed here once more in integers: kernel/sched/loadavg.c */

import fc from 'fast-check'
import t from 'tap'
import { type Loads, stepLoads } from '../../src/proc/load.ts'
import { renderLoad } from '../../src/proc/loadavg.ts'
import { checkFile } from '../consumers/files.ts'
import { openContainer } from './container.ts'
import { hostFiles, SMALL_HOST } from './hosts.ts'
import { ensure, holds } from './runs.ts'
import { HEALTHY_LEVEL, type Tree, treeFiles } from './trees.ts'

const ONE = 2048n
const DECAY = [1884n, 2014n, 2037n]

/** calc_load() of include/linux/sched/loadavg.h. */
function calcLoad(load: bigint, decay: bigint, active: bigint): bigint {
  let next = load * decay + active * (ONE - decay)
  if (active >= load) next += ONE - 1n
  return next / ONE
}

/** loadavg_proc_show() with LOAD_INT and LOAD_FRAC. */
function printed(load: bigint): string {
  const shown = load + ONE / 200n
  const hundredths = ((shown & (ONE - 1n)) * 100n) >> 11n
  return `${shown >> 11n}.${String(hundredths).padStart(2, '0')}`
}

t.test('each period is what the kernel makes of it', async t => {
  const actives = fc.array(fc.oneof(fc.nat(20), fc.nat(100_000)), { minLength: 1, maxLength: 40 })
  holds(t, actives, actives => {
    let loads: Loads = [0, 0, 0]
    let kernel = [0n, 0n, 0n]
    for (const active of actives) {
      loads = stepLoads(loads, active)
      kernel = kernel.map((load, i) => calcLoad(load, DECAY[i] ?? 0n, BigInt(active) * ONE))
      const text = renderLoad({ loads, running: 1, blocked: 0, threads: 1, lastPid: 1 })
      const wanted = `${kernel.map(printed).join(' ')} 1/1 1\n`
      ensure(text === wanted, () => `${text} instead of ${wanted} after ${actives}`)
    }
  })
})

t.test('the load stays between nothing and the most that ever ran', async t => {
  const steps = fc.array(
    fc.record({
      threads: fc.string({ unit: fc.constantFrom('R', 'S', 'D', 'Z'), maxLength: 12 }),
      afterUsec: fc.oneof(fc.nat(6_000_000), fc.nat(2 ** 31 - 1), fc.constant(86_400e6 * 400)),
      who: fc.constantFrom('reader', 'timer'),
    }),
    { minLength: 1, maxLength: 8 },
  )
  holds(t, fc.record({ kind: fc.constantFrom('v1', 'v2'), steps }), ({ kind, steps }) => {
    const treeOf = (threads: string): Tree => ({ kind, levels: [RESTED], threads })
    const { host, view } = openContainer(MACHINE, treeOf(''))
    let most = 0
    for (const { threads, afterUsec, who } of steps) {
      host.clock.usec += afterUsec
      host.set(treeFiles(treeOf(threads)))
      most = Math.max(most, threads.replace(/[SZ]/g, '').length)
      if (who === 'timer') {
        const dueUsec = view.tick()
        ensure((dueUsec ?? host.clock.usec) >= host.clock.usec, () => `due in the past: ${dueUsec}`)
        continue
      }
      const load = view.load()
      if (load === undefined) throw new Error(`no load with threads ${threads}`)
      checkFile('proc/loadavg', renderLoad(load))
      for (const average of load.loads) {
        ensure(average >= 0 && average <= most * 2048, () => `${average} with at most ${most}`)
      }
      const { running, blocked } = load
      ensure(running + blocked <= load.threads, () => JSON.stringify(load))
    }
  })
})

/** What it did before it was read is a load, too. */
const RESTED = { ...HEALTHY_LEVEL, cpuUsage: [[0, 0]] as const }
const MACHINE = hostFiles(SMALL_HOST)
