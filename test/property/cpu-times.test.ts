/** CPU time passes as on a real machine, whatever the cgroups' counters do. */

import fc from 'fast-check'
import t from 'tap'
import { CPU_TIME_FIELDS, type CpuTime, NO_TIME } from '../../src/proc/cpu/time.ts'
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

t.test(
  'the time of all CPUs grows by the time that passed on those visible all the time',
  async t => {
    holds(t, scenario(anyStep, goodStep), value => {
      let before: (Reading & { quotaCpus: number }) | undefined
      play(value, (now, { view }) => {
        const { quotaCpus } = view.cpus()
        if (before === undefined) {
          before = { ...now, quotaCpus }
          return
        }
        const passedUsec = now.atUsec - before.atUsec
        const grownUsec = wallUsec(now.times.total) - wallUsec(before.times.total)
        if (passedUsec < SAME_READING_USEC && quotaCpus === before.quotaCpus) {
          ensure(grownUsec === 0, () => `${grownUsec} us without a reading`)
          return
        }
        const least = Math.min(quotaCpus, before.quotaCpus)
        const most = Math.max(quotaCpus, before.quotaCpus)
        const from = value.fractional === 'steal' ? Math.ceil(least) : least
        const slack = tolerance(wallUsec(now.times.total))
        // A CPU that was visible at one of both readings only has the time that it worked.
        ensure(
          grownUsec >= passedUsec * from - slack &&
            grownUsec <= passedUsec * Math.max(from, most) + slack,
          () => `${grownUsec} us on ${from} to ${most} CPUs in ${passedUsec}`,
        )
        before = { ...now, quotaCpus }
      })
    })
  },
)

t.test('no CPU is used more than it can be', async t => {
  holds(t, scenario(anyStep, goodStep), value => {
    let before: (Reading & { quotaCpus: number }) | undefined
    /** By virtual CPU, when it was last seen. */
    const last = new Map<number, { time: CpuTime; hidden: number }>()
    play(value, (now, { view }) => {
      const { count, quotaCpus } = view.cpus()
      const passedUsec = now.atUsec - (before?.atUsec ?? 0)
      const isSame = before !== undefined && quotaCpus === before.quotaCpus
      if (isSame && passedUsec < SAME_READING_USEC) return
      ensure(now.times.cpus.length === count, () => `${now.times.cpus.length} of ${count} CPUs`)
      const most = Math.max(quotaCpus, before?.quotaCpus ?? 0)
      for (const seen of last.values()) seen.hidden += passedUsec
      now.times.cpus.forEach((time, i) => {
        const was = last.get(i)
        const base = was?.time ?? { ...time, ...ZERO }
        const busyUsec = usedUsec(time) - usedUsec(base)
        const allUsec = wallUsec(time) - wallUsec(base)
        // One that is hidden now may have worked in the interval before it was.
        const isSeen = was === undefined || was.hidden === passedUsec
        const mostUsec = isSeen ? passedUsec * Math.min(most - i, 1) : was.hidden
        const slack = tolerance(wallUsec(time))
        ensure(busyUsec <= mostUsec + slack, () => `CPU ${i}: ${busyUsec}`)
        const longestUsec = was?.hidden ?? passedUsec
        ensure(allUsec <= longestUsec + slack, () => `CPU ${i}: ${allUsec} of ${longestUsec}`)
        last.set(i, { time, hidden: 0 })
      })
      before = { ...now, quotaCpus }
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

const QUOTAS = { 'max 100000': CPUS, '50000 100000': 0.5, '150000 100000': 1.5, '400000 100000': 4 }
const CPUSETS = { '0-5': [0, 1, 2, 3, 4, 5], '0': [0], '1,3': [1, 3], '2-4': [2, 3, 4] }

/** A time in which the limits stay as they are; not all of them end with a reading. */
const anyPhase = fc.record({
  ms: fc.integer({ min: 1, max: 100_000 }),
  quota: fc.constantFrom(...keysOf(QUOTAS)),
  cpuset: fc.constantFrom(...keysOf(CPUSETS)),
  /** Of what the limits allow, and how it is divided. */
  permille: fc.oneof(fc.nat(1000), fc.constant(1000)),
  userPermille: fc.nat(1000),
  first: fc.nat(CPUS - 1),
  isRead: fc.boolean(),
})

function keysOf<Key extends string>(values: Record<Key, unknown>): Key[] {
  return Object.keys(values) as Key[]
}

/** What is used on each of the host's CPUs: those of the cpuset are filled from the `first` on. */
function usageIn({ ms, quota, cpuset, permille, userPermille, first }: Phase): [number, number][] {
  const cpus = CPUSETS[cpuset]
  let usec = Math.floor(ms * Math.min(QUOTAS[quota], cpus.length) * permille)
  const usage = Array.from({ length: CPUS }, (): [number, number] => [0, 0])
  cpus.forEach((_, i) => {
    const own = Math.min(usec, ms * 1000)
    const user = Math.floor((own * userPermille) / 1000)
    usage[cpus[(i + first) % cpus.length] as number] = [user, own - user]
    usec -= own
  })
  return usage
}

type Phase = typeof anyPhase extends fc.Arbitrary<infer T> ? T : never

t.test(
  'nothing that was used is lost or shown twice, however limits and readings fall',
  async t => {
    const values = fc.record({
      kind: anyKind,
      phases: fc.array(anyPhase, { minLength: 1, maxLength: 10 }),
    })
    holds(t, values, ({ kind, phases }) => {
      const { host, view } = openCpuContainer(kind)
      const counters = new Counters(kind)
      const all = { quota: 'max 100000', cpuset: '0-5', online: '0-5' }
      host.set(counters.files({ ...all, usage: [[500, 300]], how: 'anew' }))
      const start = { times: nameTimes(view.cpuTimes()), used: counters.total() }
      let before = { times: start.times, atUsec: host.clock.usec }
      const check = (isLast: boolean) => {
        const times = nameTimes(view.cpuTimes())
        const slack = tolerance(wallUsec(times.total))
        const passedUsec = host.clock.usec - before.atUsec
        times.cpus.slice(0, before.times.cpus.length).forEach((time, i) => {
          const grownUsec = wallUsec(time) - wallUsec(before.times.cpus[i] as CpuTime)
          const isTaken = passedUsec >= SAME_READING_USEC || grownUsec !== 0
          ensure(
            Math.abs(grownUsec - passedUsec) <= slack || !isTaken,
            () => `${grownUsec} of ${passedUsec} us on CPU ${i}`,
          )
          for (const field of CPU_TIME_FIELDS) {
            ensure(
              time[field] >= (before.times.cpus[i]?.[field] ?? 0),
              () => `${field} of CPU ${i}`,
            )
          }
        })
        const shownUsec = usedUsec(times.total) - usedUsec(start.times.total)
        const { userUsec, niceUsec, systemUsec } = counters.total()
        const realUsec = userUsec + niceUsec + systemUsec - usedUsec({ ...NO_TIME, ...start.used })
        const isSound = isLast ? shownUsec >= realUsec - slack : true
        ensure(isSound && shownUsec <= realUsec + slack, () => `${shownUsec} of ${realUsec} us`)
        if (passedUsec >= SAME_READING_USEC || times.cpus.length !== before.times.cpus.length) {
          before = { times, atUsec: host.clock.usec }
        }
      }
      for (const phase of phases) {
        host.clock.advance(phase.ms / 1000)
        const { quota, cpuset } = phase
        host.set(
          counters.files({ quota, cpuset, online: '0-5', usage: usageIn(phase), how: 'more' }),
        )
        if (phase.isRead) check(false)
      }
      // Half a CPU takes so long for six that were busy all the time.
      host.clock.advance(phases.length * 1300)
      check(false)
      host.clock.advance(1)
      check(true)
    })
  },
)
