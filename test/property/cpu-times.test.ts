/** CPU time passes as on a real machine, whatever the cgroups' counters do. */

import fc from 'fast-check'
import t from 'tap'
import { CPU_TIME_FIELDS, type CpuTime } from '../../src/proc/cpu/time.ts'
import { parseHostCpus, renderCpuLines } from '../../src/proc/stat.ts'
import { type NamedTimes, nameTimes, toCpuTimes } from '../machines/cpu-times.ts'
import type { Container } from './container.ts'
import {
  anyKind,
  anyStep,
  Counters,
  CPUS,
  goodStep,
  openCpuContainer,
  type Step,
} from './cpu-scenario.ts'
import { hostStat, onlineCpus, SMALL_HOST } from './hosts.ts'
import { ensure, holds } from './runs.ts'

const HOST = { ...SMALL_HOST, cpus: CPUS }
const SAME_READING_USEC = 10_000

const scenario = (step: fc.Arbitrary<Step>, first: fc.Arbitrary<Step> = step) =>
  fc.record({
    kind: anyKind,
    fractional: fc.constantFrom('steal', 'idle'),
    first,
    steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  })

type Scenario = ReturnType<typeof scenario> extends fc.Arbitrary<infer T> ? T : never

interface Reading {
  step: Step
  times: NamedTimes
  atUsec: number
}

/** Plays the steps and calls `visit` with each reading and the container at it. */
function play(
  { kind, fractional, first, steps }: Scenario,
  visit: (reading: Reading, container: Container) => void,
): void {
  const container = openCpuContainer(kind, { fractional })
  const { host, view } = container
  const counters = new Counters(kind)
  let ticks = 100_000
  for (const step of [first, ...steps]) {
    host.clock.usec += step.afterUsec
    // The host's CPUs are busy too, in a pattern of their own.
    ticks += step.afterUsec % 77
    host.set({ ...counters.files(step), 'proc/stat': hostStat(onlineCpus(HOST), ticks) })
    visit({ step, times: nameTimes(view.cpuTimes()), atUsec: host.clock.usec }, container)
  }
}

const wallUsec = (time: CpuTime) =>
  CPU_TIME_FIELDS.slice(0, 8).reduce((sum, field) => sum + time[field], 0)
const usedUsec = (time: CpuTime) => time.userUsec + time.niceUsec + time.systemUsec

/** Doubles: a part of a million millionth of the largest number, for each of some additions. */
const tolerance = (...values: number[]) => 0.5 + Math.max(...values) * 1e-12

t.test('no printed number ever falls, and each is the time cut to ticks', async t => {
  holds(t, scenario(anyStep), value => {
    const most = new Map<string, number[]>()
    play(value, ({ times }) => {
      checkCut(times)
      for (const line of renderCpuLines(toCpuTimes(times)).toString().trimEnd().split('\n')) {
        const [name = '', ...ticks] = line.split(/ +/)
        const before = most.get(name) ?? []
        ticks.forEach((tick, i) => {
          ensure(Number(tick) >= (before[i] ?? 0), () => `${before} became ${line}`)
        })
        most.set(name, ticks.map(Number))
      }
    })
  })
})

function checkCut(times: NamedTimes): void {
  const text = renderCpuLines(toCpuTimes(times)).toString()
  const printed = parseHostCpus(text)
  ensure(printed.size === times.cpus.length, () => text)
  times.cpus.forEach((time, i) => {
    for (const field of CPU_TIME_FIELDS) {
      const lostUsec = time[field] - (printed.get(i)?.[field] ?? 0)
      ensure(lostUsec > -0.02 && lostUsec < 10_000, () => `${field} of CPU ${i}: ${lostUsec}`)
    }
  })
}

t.test('the time of all CPUs grows by the time that passed on each', async t => {
  holds(t, scenario(anyStep, goodStep), value => {
    let before: Reading | undefined
    play(value, (now, { view }) => {
      const { count, quotaCpus } = view.cpus()
      if (before === undefined) {
        before = now
        return
      }
      const passedUsec = now.atUsec - before.atUsec
      const grownUsec = wallUsec(now.times.total) - wallUsec(before.times.total)
      if (passedUsec < SAME_READING_USEC) {
        ensure(grownUsec === 0, () => `${grownUsec} us without a reading`)
        return
      }
      const wantedUsec = passedUsec * (value.fractional === 'steal' ? count : quotaCpus)
      ensure(
        Math.abs(grownUsec - wantedUsec) <= tolerance(wallUsec(now.times.total)),
        () => `${grownUsec} us on ${count} CPUs of ${quotaCpus} in ${passedUsec}`,
      )
      before = now
    })
  })
})

t.test('no CPU is used more than it can be', async t => {
  holds(t, scenario(anyStep, goodStep), value => {
    let before: Reading | undefined
    /** By virtual CPU, when it was last seen. */
    const last = new Map<number, CpuTime>()
    play(value, (now, { view }) => {
      const { count, quotaCpus } = view.cpus()
      const passedUsec = before === undefined ? now.atUsec : now.atUsec - before.atUsec
      if (before !== undefined && passedUsec < SAME_READING_USEC) return
      ensure(now.times.cpus.length === count, () => `${now.times.cpus.length} of ${count} CPUs`)
      now.times.cpus.forEach((time, i) => {
        const was = last.get(i)
        const base = was ?? { ...time, ...ZERO }
        const busyUsec = usedUsec(time) - usedUsec(base)
        const allUsec = wallUsec(time) - wallUsec(base)
        const slack = tolerance(wallUsec(time))
        const mostUsec = passedUsec * Math.min(quotaCpus - i, 1)
        ensure(busyUsec <= mostUsec + slack, () => `CPU ${i}: ${busyUsec}`)
        ensure(allUsec <= passedUsec + slack, () => `CPU ${i}: ${allUsec} of ${passedUsec}`)
        last.set(i, time)
      })
      before = now
    })
  })
})

const ZERO = Object.fromEntries(CPU_TIME_FIELDS.map(field => [field, 0])) as CpuTime

t.test('in the long run what shows is what was used', async t => {
  const values = fc.record({
    kind: anyKind,
    quota: fc.constantFrom('max 100000', '50000 100000', '150000 100000', '333333 100000'),
    steps: fc.array(
      fc.record({
        seconds: fc.integer({ min: 1, max: 3000 }),
        /** Of what the quota allows, and how it is divided. */
        permille: fc.nat(1000),
        userPermille: fc.nat(1000),
        cpu: fc.nat(CPUS - 1),
        /** How far the counters run ahead of the clock. */
        aheadMs: fc.nat(400),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  holds(t, values, ({ kind, quota, steps }) => {
    const { host, view } = openCpuContainer(kind)
    const counters = new Counters(kind)
    const limits = { quota, cpuset: '0-5', online: '0-5' }
    host.set(counters.files({ ...limits, usage: [[500, 300]], how: 'anew' }))
    const { quotaCpus } = view.cpus()
    const start = { times: nameTimes(view.cpuTimes()).total, used: counters.total() }
    let debtUsec = 0
    for (const { seconds, permille, userPermille, cpu, aheadMs } of steps) {
      const allowedUsec = Math.floor(seconds * 1000 * quotaCpus) * permille
      const usec = Math.max(allowedUsec + aheadMs * 1000 - debtUsec, 0)
      debtUsec = Math.max(usec + debtUsec - allowedUsec, 0)
      const user = Math.floor((usec * userPermille) / 1000)
      const usage = Array.from({ length: CPUS }, () => [0, 0] as [number, number])
      usage[cpu] = [user, usec - user]
      host.clock.advance(seconds)
      host.set(counters.files({ ...limits, usage, how: 'more' }))
      view.cpuTimes()
    }
    host.clock.advance(3600)
    const { total } = nameTimes(view.cpuTimes())
    const used = counters.total()
    for (const field of ['userUsec', 'niceUsec', 'systemUsec'] as const) {
      const shownUsec = total[field] - start.times[field]
      const realUsec = used[field] - start.used[field]
      ensure(
        Math.abs(shownUsec - realUsec) <= tolerance(wallUsec(total)),
        () => `${shownUsec} instead of ${realUsec} in ${field}`,
      )
    }
  })
})
