import fc from 'fast-check'
import t from 'tap'
import type { CpuUsage } from '../../../src/cgroup/cpu.ts'
import { CpuAccount, type CpuReading } from '../../../src/proc/cpu/account.ts'
import { COUNTED, CPUS, FROM_HOST, SOURCE, TAKEN_USEC } from '../../../src/proc/cpu/cells.ts'
import type { HostCpus } from '../../../src/proc/cpu/counters.ts'
import {
  CPU_TIME_FIELDS,
  type CpuTime,
  type CpuTimes,
  NO_TIME,
} from '../../../src/proc/cpu/time.ts'
import type { VisibleCpus } from '../../../src/proc/cpu/visible.ts'
import { OwnNumbers } from '../../../src/proc/kept.ts'
import { renderCpuLines } from '../../../src/proc/stat.ts'
import { type NamedTimes, nameTimes } from '../../machines/cpu-times.ts'

const S = 1e6
const STEAL = { fractional: 'steal' } as const
const IDLE = { fractional: 'idle' } as const

function cpus(effective: number, quotaCpus = effective): VisibleCpus {
  const list = Array.from({ length: effective }, (_, i) => i)
  return { effective: list, count: Math.ceil(quotaCpus), quotaCpus }
}

function used(userSeconds: number, systemSeconds = 0, niceSeconds = 0): CpuUsage {
  return {
    userUsec: userSeconds * S,
    niceUsec: niceSeconds * S,
    systemUsec: systemSeconds * S,
    perCpu: undefined,
  }
}

function usedPerCpu(rows: Record<number, [user: number, system: number]>): CpuUsage {
  const numbers: number[] = []
  let [userUsec, systemUsec] = [0, 0]
  for (const [cpu, [user, system]] of Object.entries(rows)) {
    numbers.push(Number(cpu), user * S, system * S)
    userUsec += user * S
    systemUsec += system * S
  }
  const perCpu = { numbers: Float64Array.from(numbers), count: numbers.length / 3 }
  return { userUsec, niceUsec: 0, systemUsec, perCpu }
}

const hostBusy = (...userSeconds: number[]): HostCpus =>
  new Map(userSeconds.map((user, cpu) => [cpu, { ...NO_TIME, userUsec: user * S }]))

/** A reading `seconds` after the first. */
function at(seconds: number, rest: Partial<CpuReading>): CpuReading {
  return {
    monotonicUsec: (10_000 + seconds) * S,
    ageUsec: 100 * S,
    cpus: cpus(2),
    usage: used(30, 10),
    hostCpus: () => new Map(),
    ...rest,
  }
}

const lines = (times: CpuTimes) => renderCpuLines(times).toString().trimEnd().split('\n')

t.test('the first reading spreads the usage so far evenly over the age', async t => {
  t.same(lines(new CpuAccount(STEAL).advance(at(0, {}))), [
    'cpu  3000 0 1000 16000 0 0 0 0 0 0',
    'cpu0 1500 0 500 8000 0 0 0 0 0 0',
    'cpu1 1500 0 500 8000 0 0 0 0 0 0',
  ])
})

t.test('usage without weights is even', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { hostCpus: () => hostBusy(0, 0) }))
  const next = at(10, { usage: used(38, 12), hostCpus: () => hostBusy(7, 7) })
  t.same(lines(account.advance(next)), [
    'cpu  3800 0 1200 17000 0 0 0 0 0 0',
    'cpu0 1900 0 600 8500 0 0 0 0 0 0',
    'cpu1 1900 0 600 8500 0 0 0 0 0 0',
  ])
})

t.test('the busier CPU of the host gets more of the usage', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { hostCpus: () => hostBusy(100, 200) }))
  const next = at(10, { usage: used(38, 12), hostCpus: () => hostBusy(106, 202) })
  t.same(lines(account.advance(next)), [
    'cpu  3800 0 1200 17000 0 0 0 0 0 0',
    'cpu0 2100 0 650 8250 0 0 0 0 0 0',
    'cpu1 1700 0 550 8750 0 0 0 0 0 0',
  ])
})

t.test("the host's guest time is in its user time and weighs once", async t => {
  const account = new CpuAccount(STEAL)
  const host = (user: number, guest: number): HostCpus =>
    new Map([
      [0, { ...NO_TIME, userUsec: user * S, guestUsec: guest * S }],
      [1, { ...NO_TIME, userUsec: user * S }],
    ])
  account.advance(at(0, { hostCpus: () => host(0, 0) }))
  const seen = account.advance(at(10, { usage: used(38, 12), hostCpus: () => host(8, 8) }))
  t.same(nameTimes(seen).cpus[0], nameTimes(seen).cpus[1])
})

t.test('an idle container under half a CPU is idle all the time', async t => {
  const seen = new CpuAccount(STEAL).advance(at(0, { cpus: cpus(1, 0.5), usage: used(0) }))
  t.equal(lines(seen)[1], 'cpu0 0 0 0 10000 0 0 0 0 0 0')
})

t.test('half a CPU fully used is half busy, half stolen', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { cpus: cpus(1, 0.5), usage: used(0) }))
  const seen = account.advance(at(10, { cpus: cpus(1, 0.5), usage: used(4, 1) }))
  t.equal(lines(seen)[1], 'cpu0 400 0 100 10000 0 0 0 500 0 0')
})

t.test('of one and a half CPUs the first is whole, and the second has the fraction', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { cpus: cpus(2, 1.5), usage: used(0) }))
  t.same(lines(account.advance(at(10, { cpus: cpus(2, 1.5), usage: used(10) }))), [
    'cpu  1000 0 0 21000 0 0 0 0 0 0',
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 0 0 0 11000 0 0 0 0 0 0',
  ])
  t.same(lines(account.advance(at(20, { cpus: cpus(2, 1.5), usage: used(23) }))), [
    'cpu  2300 0 0 21400 0 0 0 300 0 0',
    'cpu0 2000 0 0 10000 0 0 0 0 0 0',
    'cpu1 300 0 0 11400 0 0 0 300 0 0',
  ])
  t.equal(
    lines(account.advance(at(30, { cpus: cpus(2, 1.5), usage: used(38) })))[0],
    'cpu  3800 0 0 21400 0 0 0 800 0 0',
    'nothing is idle when the quota is used up',
  )
})

t.test('the unusable part may be left out instead', async t => {
  const account = new CpuAccount(IDLE)
  const first = account.advance(at(0, { cpus: cpus(2, 1.5), usage: used(0) }))
  t.same(lines(first), [
    'cpu  0 0 0 15000 0 0 0 0 0 0',
    'cpu0 0 0 0 10000 0 0 0 0 0 0',
    'cpu1 0 0 0 5000 0 0 0 0 0 0',
  ])
  const next = account.advance(at(10, { cpus: cpus(2, 1.5), usage: used(12) }))
  t.same(lines(next), [
    'cpu  1200 0 0 15300 0 0 0 0 0 0',
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 200 0 0 5300 0 0 0 0 0 0',
  ])
})

t.test('another CPU starts from zero and the total has no jump', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { ageUsec: 50 * S, cpus: cpus(2, 1), usage: used(10) }))
  t.same(lines(account.advance(at(10, { usage: used(20) }))), [
    'cpu  2000 0 0 4000 0 0 0 0 0 0',
    'cpu0 2000 0 0 4000 0 0 0 0 0 0',
    'cpu1 0 0 0 0 0 0 0 0 0 0',
  ])
  t.equal(lines(account.advance(at(20, { usage: used(30) })))[2], 'cpu1 500 0 0 500 0 0 0 0 0 0')
})

t.test('a hidden CPU keeps its times, and the total keeps it', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, {}))
  t.same(lines(account.advance(at(10, { cpus: cpus(2, 1) }))), [
    'cpu  3000 0 1000 17000 0 0 0 0 0 0',
    'cpu0 1500 0 500 9000 0 0 0 0 0 0',
  ])
  t.same(lines(account.advance(at(20, {}))), [
    'cpu  3000 0 1000 18000 0 0 0 0 0 0',
    'cpu0 1500 0 500 10000 0 0 0 0 0 0',
    'cpu1 1500 0 500 8000 0 0 0 0 0 0',
  ])
})

t.test('a cgroup made anew goes on where the old one was', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, {}))
  t.equal(
    lines(account.advance(at(10, { usage: used(0.2, 10) })))[0],
    'cpu  3020 0 1000 17980 0 0 0 0 0 0',
  )
  t.equal(
    lines(account.advance(at(20, { usage: used(0.3, 0) })))[0],
    'cpu  3030 0 1000 19970 0 0 0 0 0 0',
  )
})

t.test('two readings within 10 ms are one', async t => {
  const account = new CpuAccount(STEAL)
  const first = lines(account.advance(at(0, {})))
  t.same(lines(account.advance(at(0.009, { usage: used(31, 10) }))), first)
  t.notSame(lines(account.advance(at(0.011, { usage: used(31, 10) }))), first)
})

t.test('within 10 ms the number of CPUs still follows the limit', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, {}))
  t.equal(account.advance(at(0.001, { cpus: cpus(3) })).count, 3)
  t.equal(account.advance(at(0.002, { cpus: cpus(2, 1) })).count, 1)
})

t.test('usage per CPU goes to the virtual CPU that stands for it', async t => {
  const account = new CpuAccount(STEAL)
  const two: VisibleCpus = { effective: [3, 7], count: 2, quotaCpus: 2 }
  const none: Record<number, [number, number]> = {}
  for (let cpu = 0; cpu < 8; cpu++) if (cpu !== 4) none[cpu] = [0, 0]
  account.advance(at(0, { cpus: two, usage: usedPerCpu(none) }))
  const usage = usedPerCpu({ ...none, 3: [2, 1], 7: [4, 0] })
  t.same(lines(account.advance(at(10, { cpus: two, usage }))), [
    'cpu  600 0 100 21300 0 0 0 0 0 0',
    'cpu0 200 0 100 10700 0 0 0 0 0 0',
    'cpu1 400 0 0 10600 0 0 0 0 0 0',
  ])
})

t.test('CPUs beyond the quota fold onto the visible ones', async t => {
  const account = new CpuAccount(STEAL)
  const four: VisibleCpus = { effective: [4, 5, 6, 7], count: 2, quotaCpus: 2 }
  const usage = (a: number) => usedPerCpu({ 0: [a, 0], 4: [a, 0], 5: [0, a], 6: [a, 0], 7: [0, 0] })
  account.advance(at(0, { cpus: four, usage: usage(0), ageUsec: 0 }))
  t.same(lines(account.advance(at(10, { cpus: four, usage: usage(2) }))), [
    'cpu  600 0 200 1200 0 0 0 0 0 0',
    'cpu0 600 0 0 400 0 0 0 0 0 0',
    'cpu1 0 0 200 800 0 0 0 0 0 0',
  ])
})

t.test('usage beyond the room of one CPU moves to another', async t => {
  const account = new CpuAccount(STEAL)
  const usage = (a: number, b: number) => usedPerCpu({ 0: [0, a], 1: [b, 0] })
  account.advance(at(0, { usage: usage(0, 0), ageUsec: 0 }))
  t.same(lines(account.advance(at(10, { usage: usage(12, 1) }))), [
    'cpu  100 0 1200 700 0 0 0 0 0 0',
    'cpu0 0 0 1000 0 0 0 0 0 0 0',
    'cpu1 100 0 200 700 0 0 0 0 0 0',
  ])
})

t.test('usage beyond the room of all waits for the next intervals', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { cpus: cpus(1), usage: used(0), ageUsec: 0 }))
  t.equal(
    lines(account.advance(at(10, { cpus: cpus(1), usage: used(12) })))[0],
    'cpu  1000 0 0 0 0 0 0 0 0 0',
  )
  t.equal(
    lines(account.advance(at(20, { cpus: cpus(1), usage: used(12) })))[0],
    'cpu  1200 0 0 800 0 0 0 0 0 0',
  )
  account.advance(at(30, { cpus: cpus(1), usage: used(62) }))
  t.equal(
    lines(account.advance(at(40, { cpus: cpus(1), usage: used(62) })))[0],
    'cpu  3200 0 0 800 0 0 0 0 0 0',
  )
  t.equal(
    lines(account.advance(at(90, { cpus: cpus(1), usage: used(62) })))[0],
    'cpu  6200 0 0 2800 0 0 0 0 0 0',
  )
})

t.test('more usage than the age allows is cut at the first reading', async t => {
  const seen = new CpuAccount(STEAL).advance(at(0, { ageUsec: 10 * S, usage: used(300, 100) }))
  t.equal(lines(seen)[1], 'cpu0 750 0 250 0 0 0 0 0 0 0')
})

t.test('a container is not older than the clock, nor younger than nothing', async t => {
  const old = nameTimes(new CpuAccount(STEAL).advance(at(0, { ageUsec: 1e15, usage: used(0) })))
  t.equal(old.cpus[0]?.idleUsec, 10_000 * S)
  const unknown = nameTimes(
    new CpuAccount(STEAL).advance(at(0, { ageUsec: undefined, usage: used(0) })),
  )
  t.equal(unknown.cpus[0]?.idleUsec, 10_000 * S)
  const early = nameTimes(new CpuAccount(STEAL).advance(at(0, { ageUsec: -5, usage: used(1) })))
  t.same(early.total, NO_TIME)
})

t.test("without any usage the host's CPUs are shown, and go on as they do", async t => {
  const full = (usec: number): CpuTime =>
    Object.fromEntries(CPU_TIME_FIELDS.map((field, i) => [field, (usec + i) * S])) as CpuTime
  const host = (usec: number): HostCpus => new Map([0, 1, 2, 3].map(c => [c, full(usec + c * 100)]))
  const two: VisibleCpus = { effective: [1, 3], count: 2, quotaCpus: 2 }
  const account = new CpuAccount(STEAL)
  const reading = (seconds: number, usec: number) =>
    at(seconds, { cpus: two, usage: undefined, hostCpus: () => host(usec) })
  t.same(lines(account.advance(reading(0, 0))), [
    'cpu  40000 40200 40400 40600 40800 41000 41200 41400 41600 41800',
    'cpu0 10000 10100 10200 10300 10400 10500 10600 10700 10800 10900',
    'cpu1 30000 30100 30200 30300 30400 30500 30600 30700 30800 30900',
  ])
  t.match(lines(account.advance(reading(10, 5)))[1], /^cpu0 10500 10600 /)
  t.match(lines(account.advance(reading(20, 1)))[1], /^cpu0 10500 10600 /, 'a fall is held back')
})

t.test('a usage that comes later goes on from the times of the host', async t => {
  const account = new CpuAccount(STEAL)
  account.advance(at(0, { usage: undefined, hostCpus: () => hostBusy(100, 200) }))
  account.advance(at(10, { usage: used(1000) }))
  t.same(lines(account.advance(at(20, { usage: used(1004) }))), [
    'cpu  30400 0 0 3600 0 0 0 0 0 0',
    'cpu0 10200 0 0 1800 0 0 0 0 0 0',
    'cpu1 20200 0 0 1800 0 0 0 0 0 0',
  ])
})

t.test('a reading without usage is idle time, and the next that has one goes on', async t => {
  for (const usage of [used, (user: number, system: number) => usedPerCpu({ 1: [user, system] })]) {
    const account = new CpuAccount(STEAL)
    const total = (seconds: number, usage: CpuUsage | undefined) =>
      lines(account.advance(at(seconds, { usage })))[0]
    t.equal(total(0, usage(30, 10)), 'cpu  3000 0 1000 16000 0 0 0 0 0 0')
    t.equal(total(10, undefined), 'cpu  3000 0 1000 18000 0 0 0 0 0 0')
    t.equal(total(20, usage(35, 10)), 'cpu  3500 0 1000 19500 0 0 0 0 0 0')
    t.equal(total(21, undefined), 'cpu  3500 0 1000 19700 0 0 0 0 0 0')
    t.equal(total(22, usage(39, 10)), 'cpu  3700 0 1000 19700 0 0 0 0 0 0')
    t.equal(total(32, usage(39, 10)), 'cpu  3900 0 1000 21500 0 0 0 0 0 0', 'the rest is carried')
  }
})

t.test('a usage that is gone for good is idle time on each CPU, by the quota', async t => {
  for (const [options, expected] of [
    [STEAL, ['cpu  0 0 0 4000 0 0 0 0 0 0', 'cpu1 0 0 0 2000 0 0 0 0 0 0']],
    [IDLE, ['cpu  0 0 0 3000 0 0 0 0 0 0', 'cpu1 0 0 0 1000 0 0 0 0 0 0']],
  ] as const) {
    const kept = new OwnNumbers()
    const gone = { cpus: cpus(2, 1.5), usage: undefined }
    new CpuAccount(options, kept).advance(at(0, { ...gone, ageUsec: 0, usage: used(5) }))
    new CpuAccount(options, kept).advance(at(10, gone))
    const next = new CpuAccount(options, kept)
    const [total, , cpu1] = lines(next.advance(at(20, gone)))
    t.same([total, cpu1], expected)
    const more = (seconds: number) => lines(next.advance(at(seconds, { ...gone, cpus: cpus(3) })))
    t.equal(more(30)[3], 'cpu2 0 0 0 0 0 0 0 0 0 0')
    t.equal(more(40)[3], 'cpu2 0 0 0 1000 0 0 0 0 0 0')
  }
})

t.test('the host is asked only when the usage does not tell the CPUs apart', async t => {
  const account = new CpuAccount(STEAL)
  const hostCpus = () => t.fail('nobody should ask') as never
  const usage = usedPerCpu({ 0: [1, 1], 1: [2, 2] })
  t.equal(account.advance(at(0, { usage, hostCpus })).count, 2)
  t.equal(account.advance(at(10, { usage, hostCpus })).count, 2)
})

t.test('the account goes on from what another has kept', async t => {
  const readings = [
    at(0, { usage: usedPerCpu({ 0: [1, 2], 5: [3, 4] }) }),
    at(10, { usage: usedPerCpu({ 0: [2, 3], 5: [9, 4] }), cpus: cpus(2, 1.5) }),
    at(20, { usage: used(12, 8), hostCpus: () => hostBusy(3, 4) }),
    at(30, { usage: used(15, 9), hostCpus: () => hostBusy(4, 8), cpus: cpus(3) }),
  ]
  const same = new CpuAccount(STEAL)
  const kept = new OwnNumbers()
  for (const reading of readings) {
    const seen = nameTimes(new CpuAccount(STEAL, kept).advance(reading))
    t.same(seen, nameTimes(same.advance(reading)))
  }
})

t.test('numbers that no account has kept since the boot are none', async t => {
  const kept = new OwnNumbers()
  new CpuAccount(STEAL, kept).advance(at(0, { usage: usedPerCpu({ 0: [1, 2], 1: [3, 4] }) }))
  const good = new Float64Array(kept.count)
  kept.load(good)
  const first = lines(new CpuAccount(STEAL).advance(at(5, {})))
  const seenAfter = (damage: (numbers: Float64Array) => void, count = good.length) => {
    const numbers = new Float64Array(Math.max(count, good.length))
    numbers.set(good)
    damage(numbers)
    const damaged = new OwnNumbers()
    damaged.store(numbers, count)
    return lines(new CpuAccount(STEAL, damaged).advance(at(5, {})))
  }
  const set = (cell: number, value: number) => (numbers: Float64Array) => {
    numbers[cell] = value
  }
  t.notSame(
    seenAfter(() => {}),
    first,
  )
  for (let cell = 0; cell < good.length; cell++) {
    for (const value of [Number.NaN, -5, Number.POSITIVE_INFINITY]) {
      t.same(seenAfter(set(cell, value)), first, `${value} at ${cell}`)
    }
  }
  for (const cell of [SOURCE, COUNTED, CPUS]) {
    for (const value of [0, 0.5, 17, 1e15]) t.same(seenAfter(set(cell, value)), first)
  }
  t.same(seenAfter(set(TAKEN_USEC, 10_005 * S + 1)), first, 'a time to come is of another boot')
  t.same(
    seenAfter(() => {}, good.length - 2),
    first,
    'less',
  )
  t.same(
    seenAfter(() => {}, good.length + 1),
    first,
    'more',
  )
  t.same(
    seenAfter(() => {}, 3),
    first,
    'no head',
  )
})

t.test('whatever happens to limits and counters, the times are sound', async () => {
  const step = fc.record({
    usec: fc.nat(30 * S),
    effective: fc.integer({ min: 1, max: 5 }),
    quotaCpus: fc.integer({ min: 1, max: 500 }),
    user: fc.nat(20 * S),
    system: fc.nat(5 * S),
    on: fc.nat(6),
    kind: fc.constantFrom('total', 'perCpu', 'perCpu', 'none'),
    reset: fc.nat(20),
    host: fc.array(fc.nat(30), { minLength: 5, maxLength: 5 }),
  })
  const fractional = fc.constantFrom('steal' as const, 'idle' as const)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fractional, (steps, mode) => {
      const kept = new OwnNumbers()
      const account = new CpuAccount({ fractional: mode }, kept)
      let monotonicUsec = 5000 * S
      let takenUsec = monotonicUsec
      let before: NamedTimes | undefined
      let beforeCpus = 0
      let rows: Record<number, [number, number]> = { 0: [0, 0] }
      let sourced = false
      const host = [0, 0, 0, 0, 0]
      for (const {
        usec,
        effective,
        quotaCpus,
        user,
        system,
        on,
        kind,
        reset,
        host: busy,
      } of steps) {
        monotonicUsec += usec
        if (reset === 0) rows = {}
        const [u, s] = rows[on] ?? [0, 0]
        rows = { ...rows, [on]: [u + user / S, s + system / S] }
        busy.forEach((seconds, i) => {
          host[i] = (host[i] ?? 0) + seconds
        })
        const all = usedPerCpu(rows)
        const usage =
          kind === 'none' ? undefined : kind === 'total' ? { ...all, perCpu: undefined } : all
        const seen = cpus(effective, Math.min(quotaCpus / 100, effective))
        const reading = {
          monotonicUsec,
          ageUsec: 100 * S,
          cpus: seen,
          usage,
          hostCpus: () => hostBusy(...host),
        }
        const times = nameTimes(account.advance(reading))
        if (times.cpus.length !== seen.count) throw new Error('another number of CPUs')
        for (const time of [times.total, ...times.cpus]) {
          if (!CPU_TIME_FIELDS.every(field => time[field] >= 0 && time[field] < 2 ** 53)) {
            throw new Error(`no time: ${JSON.stringify(time)}`)
          }
        }
        if (before !== undefined) {
          const dt = monotonicUsec - takenUsec
          checkGrowth(before.total, times.total)
          times.cpus.forEach((time, i) => {
            const old = before?.cpus[i]
            if (old === undefined) return
            checkGrowth(old, time)
            if (sourced && passed(old, time) > dt + 1) throw new Error('a CPU above 100 %')
          })
          if (sourced && dt >= 10_000) {
            const least = Math.min(seen.quotaCpus, beforeCpus)
            const most = Math.max(seen.quotaCpus, beforeCpus)
            // A CPU that was visible at one of both readings only has the time that it worked.
            const from = mode === 'idle' ? least : Math.ceil(least)
            const grown = passed(before.total, times.total) / dt
            if (grown * dt < from * dt - 1 || grown * dt > Math.max(most, from) * dt + 1) {
              throw new Error(`${grown} CPUs passed, not ${from} to ${most}`)
            }
          }
        }
        const numbers = new Float64Array(kept.count)
        kept.load(numbers)
        sourced = numbers[SOURCE] !== FROM_HOST
        takenUsec = numbers[TAKEN_USEC] ?? 0
        before = times
        beforeCpus = seen.quotaCpus
      }
    }),
    { numRuns: 700 },
  )
})

t.test('in the long run the busy time is the usage, where it fits', async () => {
  const step = fc.record({
    usec: fc.integer({ min: 10_000, max: 20 * S }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    system: fc.double({ min: 0, max: 1, noNaN: true }),
    cpu: fc.nat(5),
    perCpu: fc.boolean(),
  })
  const steps = fc.array(step, { minLength: 1, maxLength: 20 })
  const quotas = fc.integer({ min: 1, max: 300 })
  fc.assert(
    fc.property(steps, quotas, fc.boolean(), (steps, quota, perCpu) => {
      const account = new CpuAccount(STEAL)
      const seen = cpus(3, quota / 100)
      let monotonicUsec = 5000 * S
      const rows: Record<number, [number, number]> = { 0: [0, 0] }
      const usage = () => {
        const all = usedPerCpu(rows)
        return perCpu ? all : { ...all, perCpu: undefined }
      }
      const rest = { ageUsec: 0, cpus: seen, hostCpus: () => hostBusy(0, 0, 0) }
      account.advance({ ...rest, monotonicUsec, usage: usage() })
      let times: NamedTimes | undefined
      for (const { usec, share, system, cpu } of steps) {
        monotonicUsec += usec
        const usedUsec = usec * seen.quotaCpus * share
        const [u, s] = rows[cpu] ?? [0, 0]
        rows[cpu] = [u + (usedUsec * (1 - system)) / S, s + (usedUsec * system) / S]
        times = nameTimes(account.advance({ ...rest, monotonicUsec, usage: usage() }))
      }
      const all = usedPerCpu(rows)
      const near = (a = 0, b = 0) => Math.abs(a - b) < 1
      if (!near(times?.total.userUsec, all.userUsec)) throw new Error('user time is lost')
      if (!near(times?.total.systemUsec, all.systemUsec)) throw new Error('system time is lost')
    }),
    { numRuns: 500 },
  )
})

t.test("what was kept and is gone is nobody else's", async t => {
  const kept = new OwnNumbers()
  const account = new CpuAccount(STEAL, kept)
  account.advance(at(0, { usage: used(10) }))
  const own = nameTimes(account.advance(at(10, { usage: used(11) })))
  const other = new CpuAccount(STEAL)
  other.advance(at(0, { usage: used(5000) }))
  other.advance(at(10, { usage: used(5005) }))
  kept.count = 0
  t.strictSame(nameTimes(account.times(cpus(2))).total, NO_TIME)
  const anew = nameTimes(account.advance(at(10.001, { usage: used(11) })))
  t.equal(anew.total.userUsec, own.total.userUsec, 'it begins with what its cgroup has counted')
})

function passed(before: CpuTime, now: CpuTime): number {
  const sum = (time: CpuTime) => CPU_TIME_FIELDS.reduce((usec, field) => usec + time[field], 0)
  return sum(now) - sum(before)
}

function checkGrowth(before: CpuTime, now: CpuTime): void {
  for (const field of CPU_TIME_FIELDS) {
    if (now[field] < before[field]) throw new Error(`${field} fell`)
  }
}
