/** CPU time while limits change between readings that are far apart. */

import t from 'tap'
import type { CpuUsage } from '../../../src/cgroup/cpu.ts'
import { CpuAccount, type CpuReading } from '../../../src/proc/cpu/account.ts'
import { NO_TIME } from '../../../src/proc/cpu/time.ts'
import type { VisibleCpus } from '../../../src/proc/cpu/visible.ts'
import { type Kept, OwnNumbers } from '../../../src/proc/kept.ts'
import { parseHostCpus, renderCpuLines } from '../../../src/proc/stat.ts'

const S = 1e6

function cpus(effective: number, quotaCpus = effective): VisibleCpus {
  const list = Array.from({ length: effective }, (_, i) => i)
  return { effective: list, count: Math.ceil(quotaCpus), quotaCpus }
}

const used = (seconds: number): CpuUsage => ({
  userUsec: seconds * S,
  niceUsec: 0,
  systemUsec: 0,
  perCpu: undefined,
})

const usedByCpu = (...seconds: number[]): CpuUsage => ({
  ...used(seconds.reduce((sum, each) => sum + each, 0)),
  perCpu: {
    numbers: Float64Array.from(seconds.flatMap((each, cpu) => [cpu, each * S, 0])),
    count: seconds.length,
  },
})

/** Takes readings of one container, each with the quota and the usage at that second. */
class Story {
  readonly #fractional: 'steal' | 'idle'
  readonly kept: Kept = new OwnNumbers()
  #account: CpuAccount

  constructor(fractional: 'steal' | 'idle' = 'steal') {
    this.#fractional = fractional
    this.#account = new CpuAccount({ fractional }, this.kept)
  }

  read(seconds: number, now: VisibleCpus, usage: CpuUsage | undefined): string[] {
    // Each CPU of the host is busy all the time.
    const time = { ...NO_TIME, userUsec: (5000 + seconds) * S }
    const host = new Map([0, 1].map(cpu => [cpu, time]))
    const reading: CpuReading = {
      monotonicUsec: (1000 + seconds) * S,
      ageUsec: 0,
      cpus: now,
      usage,
      hostCpus: () => host,
    }
    return renderCpuLines(this.#account.advance(reading)).toString().trimEnd().split('\n')
  }

  restart(): void {
    this.#account = new CpuAccount({ fractional: this.#fractional }, this.kept)
  }
}

t.test('usage before a quota was lowered is shown, on the CPUs that were visible then', t => {
  const story = new Story()
  story.read(0, cpus(4), used(0))
  t.same(story.read(100, cpus(4, 0.5), used(400)), [
    'cpu  40000 0 0 0 0 0 0 0 0 0',
    'cpu0 10000 0 0 0 0 0 0 0 0 0',
  ])
  t.same(story.read(200, cpus(4), used(410)).slice(0, 2), [
    'cpu  41000 0 0 8000 0 0 0 1000 0 0',
    'cpu0 11000 0 0 8000 0 0 0 1000 0 0',
  ])
  t.end()
})

t.test('a CPU that becomes visible brings no idle time from before', t => {
  const story = new Story()
  story.read(0, cpus(4, 0.5), used(0))
  t.same(story.read(100, cpus(4), used(50)), [
    'cpu  5000 0 0 0 0 0 0 5000 0 0',
    'cpu0 5000 0 0 0 0 0 0 5000 0 0',
    'cpu1 0 0 0 0 0 0 0 0 0 0',
    'cpu2 0 0 0 0 0 0 0 0 0 0',
    'cpu3 0 0 0 0 0 0 0 0 0 0',
  ])
  t.equal(story.read(110, cpus(4), used(50))[4], 'cpu3 0 0 0 1000 0 0 0 0 0 0')
  t.end()
})

t.test('usage that only the raised quota allowed is busy time, and nothing is idle', t => {
  const story = new Story()
  story.read(0, cpus(4, 0.5), used(0))
  t.same(story.read(100, cpus(4, 1.5), used(120)), [
    'cpu  12000 0 0 0 0 0 0 0 0 0',
    'cpu0 10000 0 0 0 0 0 0 0 0 0',
    'cpu1 2000 0 0 0 0 0 0 0 0 0',
  ])
  t.end()
})

t.test('the smaller limit says what is idle, without steal as well', t => {
  for (const [first, second] of [
    [cpus(2, 1.5), cpus(2)],
    [cpus(2), cpus(2, 1.5)],
  ] as const) {
    const story = new Story('idle')
    story.read(0, first, used(0))
    t.equal(story.read(10, second, used(12))[0], 'cpu  1200 0 0 300 0 0 0 0 0 0')
    const stolen = new Story()
    stolen.read(0, first, used(0))
    t.equal(stolen.read(10, second, used(12))[0], 'cpu  1200 0 0 600 0 0 0 200 0 0')
  }
  t.end()
})

t.test('usage by CPU counts where it was, also on a CPU that is hidden now', t => {
  const story = new Story()
  story.read(0, cpus(2), usedByCpu(0, 0))
  t.same(story.read(10, cpus(1), usedByCpu(9, 8)), [
    'cpu  1700 0 0 0 0 0 0 0 0 0',
    'cpu0 1000 0 0 0 0 0 0 0 0 0',
  ])
  t.same(story.read(20, cpus(2), usedByCpu(9, 8)), [
    'cpu  1700 0 0 1000 0 0 0 0 0 0',
    'cpu0 1000 0 0 1000 0 0 0 0 0 0',
    'cpu1 700 0 0 0 0 0 0 0 0 0',
  ])
  t.end()
})

t.test('what was allowed only between two readings is shown as room comes, all of it', t => {
  const story = new Story()
  story.read(0, cpus(8, 1), used(0))
  t.equal(story.read(10, cpus(8, 1), used(80))[0], 'cpu  1000 0 0 0 0 0 0 0 0 0')
  t.equal(story.read(20, cpus(8, 1), undefined)[0], 'cpu  1000 0 0 1000 0 0 0 0 0 0')
  story.restart()
  t.equal(story.read(60, cpus(8, 1), used(80))[0], 'cpu  5000 0 0 1000 0 0 0 0 0 0')
  t.equal(story.read(100, cpus(8, 1), used(80))[0], 'cpu  8000 0 0 2000 0 0 0 0 0 0')
  t.end()
})

t.test('a limit that changes within 10 ms is noticed', t => {
  const story = new Story()
  story.read(0, cpus(2, 1), used(0))
  t.equal(story.read(0.005, cpus(2), used(0)).length, 3)
  t.equal(story.read(10, cpus(2), used(0))[2], 'cpu1 0 0 0 999 0 0 0 0 0 0')
  t.end()
})

t.test("the host's time of a CPU that was not visible is none of the container's", t => {
  const story = new Story()
  story.read(0, cpus(2, 1), undefined)
  t.same(story.read(10, cpus(2), undefined), [
    'cpu  501000 0 0 0 0 0 0 0 0 0',
    'cpu0 501000 0 0 0 0 0 0 0 0 0',
    'cpu1 0 0 0 0 0 0 0 0 0 0',
  ])
  t.equal(story.read(20, cpus(2), undefined)[2], 'cpu1 1000 0 0 0 0 0 0 0 0 0')
  t.end()
})

t.test('a record of a version that kept no limits goes on', t => {
  const story = new Story()
  story.read(0, cpus(4), used(0))
  story.read(10, cpus(4, 1), used(10))
  const numbers = new Float64Array(story.kept.count)
  story.kept.load(numbers)
  story.kept.store(numbers, story.kept.count - 1)
  story.restart()
  t.same(story.read(20, cpus(4, 1), used(15)), [
    'cpu  1500 0 0 500 0 0 0 0 0 0',
    'cpu0 1500 0 0 500 0 0 0 0 0 0',
  ])
  t.equal(story.kept.count, numbers.length)
  t.end()
})

t.test("more of the host's time than can be counted exactly stands still, and is kept", t => {
  const ticks = '18446744073709551615'
  const hostCpus = () => parseHostCpus(`cpu0 1 0 0 5 0 0 0 ${ticks}\ncpu1 2 0 0 5 0 0 0 ${ticks}\n`)
  const kept = new OwnNumbers()
  for (const seconds of [0, 10]) {
    for (const usage of [undefined, used(1)]) {
      const what = usage === undefined ? kept : new OwnNumbers()
      const reading = { monotonicUsec: (1000 + seconds) * S, ageUsec: 0, cpus: cpus(2), usage }
      new CpuAccount({ fractional: 'steal' }, what).advance({ ...reading, hostCpus })
      const later = new CpuAccount({ fractional: 'steal' }, what)
      later.isDue((1001 + seconds) * S, cpus(2))
      t.ok(later.hasTimes, 'the record is sound')
      if (usage === undefined) {
        t.equal(
          renderCpuLines(later.times(cpus(2))).toString(),
          'cpu  3 0 0 10 0 0 0 900719925474 0 0\n' +
            'cpu0 1 0 0 5 0 0 0 900719925474 0 0\ncpu1 2 0 0 5 0 0 0 900719925474 0 0\n',
        )
      }
    }
  }
  t.end()
})
