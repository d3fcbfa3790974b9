import t from 'tap'
import {
  BY_CPU,
  BY_TOTAL,
  COUNTED,
  CpuCells,
  FROM_HOST,
  ROWS,
  rowNumbers,
  SOURCE,
  USED,
} from '../../../src/proc/cpu/cells.ts'
import {
  addHostTime,
  findRow,
  noteHost,
  noteUsage,
  spreadUsage,
} from '../../../src/proc/cpu/counters.ts'
import { NO_TIME, TIME_FIELDS } from '../../../src/proc/cpu/time.ts'
import type { VisibleCpus } from '../../../src/proc/cpu/visible.ts'

const TWO: VisibleCpus = { effective: [3, 7], count: 2, quotaCpus: 2 }
const noHost = () => new Map()
const time = (userUsec: number) => ({ ...NO_TIME, userUsec })

function cells(source: number, usedUsec: number, rows: readonly (readonly number[])[]): CpuCells {
  const made = new CpuCells()
  made.numbers[SOURCE] = source
  made.numbers[USED] = usedUsec
  made.numbers[COUNTED] = rows.length
  made.numbers.set(rows.flat(), ROWS)
  return made
}

function rowsOf({ numbers }: CpuCells): number[][] {
  const length = rowNumbers(numbers[SOURCE] as number)
  return Array.from({ length: numbers[COUNTED] as number }, (_, i) => [
    ...numbers.subarray(ROWS + i * length, ROWS + (i + 1) * length),
  ])
}

function spread(before: CpuCells, now: CpuCells, carriedUsec = 0, cpus = TWO): number[] {
  const carry = Float64Array.of(carriedUsec, 0, 0)
  const interval = { usec: 100, leastCpus: cpus.quotaCpus, mostCpus: cpus.quotaCpus }
  const busy = spreadUsage(before, now, interval, carry, cpus)
  return Array.from({ length: cpus.count }, (_, i) => Number(busy[3 * i]?.toFixed(9)))
}

t.test('usage per CPU is kept by number', async t => {
  const perCpu = { numbers: Float64Array.of(7, 1, 2, 99), count: 1 }
  const noted = new CpuCells()
  noteUsage(noted, { userUsec: 1, niceUsec: 0, systemUsec: 2, perCpu }, noHost)
  t.same([...noted.numbers.subarray(USED, USED + 3)], [1, 0, 2])
  t.same(rowsOf(noted), [[7, 1, 2]])
})

t.test('a total is kept with how busy the host was', async t => {
  const noted = new CpuCells()
  const host = () => new Map([[3, { ...NO_TIME, userUsec: 5, idleUsec: 9 }]])
  noteUsage(noted, { userUsec: 4, niceUsec: 1, systemUsec: 2, perCpu: undefined }, host)
  t.same([...noted.numbers.subarray(USED, USED + 3)], [4, 1, 2])
  t.same(rowsOf(noted), [[3, 5]])
})

t.test('a CPU is found wherever its row is', async t => {
  const noted = cells(BY_TOTAL, 0, [
    [3, 5],
    [7, 6],
  ])
  for (const guess of [0, 1, 2]) {
    t.same(
      [3, 7, 5].map(cpu => findRow(noted, cpu, guess)),
      [ROWS, ROWS + 2, -1],
    )
  }
})

t.test('usage of CPUs that are not visible goes by their number', async t => {
  const before = cells(BY_CPU, 0, [])
  const now = cells(BY_CPU, 0, [
    [0, 1, 0],
    [3, 2, 0],
    [5, 4, 0],
    [7, 8, 0],
    [9, 16, 0],
  ])
  t.same(spread(before, now), [3, 28])
  t.same(spread(now, now), [0, 0])
})

t.test('a CPU that the host did not list before has no weight yet', async t => {
  const before = cells(BY_TOTAL, 0, [[3, 100]])
  const now = cells(BY_TOTAL, 10, [
    [3, 101],
    [7, 999],
  ])
  t.same(spread(before, now), [10, 0])
})

t.test('when the kind of source changes only totals compare', async t => {
  const byCpu = cells(BY_CPU, 10, [[3, 10, 0]])
  const byTotal = cells(BY_TOTAL, 30, [
    [3, 100],
    [7, 0],
  ])
  t.same(spread(byCpu, byTotal), [10, 10])
  t.same(spread(byTotal, cells(BY_CPU, 40, [[3, 10, 0]])), [5, 5])
  t.same(spread(cells(FROM_HOST, 0, []), byTotal), [0, 0])
})

t.test('what was carried over is used now', async t => {
  const same = cells(BY_TOTAL, 0, [])
  t.same(spread(same, same, 8), [4, 4])
})

t.test(
  'under a quota the CPUs are filled one after the other, where nobody says which did it',
  async t => {
    const cpus = { effective: [1, 3, 5, 7], count: 3, quotaCpus: 2.5 }
    const before = cells(BY_TOTAL, 0, [[3, 0]])
    for (const [usedUsec, expected] of [
      [50, [50, 0, 0]],
      [100, [100, 0, 0]],
      [130, [100, 30, 0]],
      [220, [100, 100, 20]],
      [290, [100, 100, 50]],
    ] as const) {
      t.same(spread(before, cells(BY_TOTAL, usedUsec, [[3, 500]]), 0, cpus), expected)
    }
  },
)

t.test(
  'what is known by CPU stays where it was, and the last CPU does what the others cannot',
  async t => {
    const cpus = { effective: [0, 1, 2], count: 3, quotaCpus: 2.5 }
    const by = (...usec: number[]) =>
      cells(
        BY_CPU,
        0,
        usec.map((each, cpu) => [cpu, each, 0]),
      )
    t.same(spread(by(0, 0, 0), by(20, 70, 0), 0, cpus), [20, 70, 0])
    t.same(spread(by(0, 0, 0), by(20, 30, 40), 0, cpus), [60, 30, 0])
    t.same(spread(by(0, 0, 0), by(90, 80, 70), 0, cpus), [100, 100, 40])
    t.same(
      spread(by(0, 0), by(0, 100), 0, { effective: [0, 1], count: 2, quotaCpus: 1.5 }),
      [100, 0],
    )
  },
)

t.test('100 CPUs have room', async t => {
  const effective = Array.from({ length: 100 }, (_, i) => i)
  const rows = effective.map(cpu => [cpu, cpu, 0])
  const perCpu = { numbers: Float64Array.from(rows.flat()), count: 100 }
  const noted = new CpuCells()
  noteUsage(noted, { userUsec: 1, niceUsec: 0, systemUsec: 2, perCpu }, noHost)
  const cpus = { effective, count: 100, quotaCpus: 100 }
  t.same(spread(cells(BY_CPU, 0, []), noted, 0, cpus), effective)
})

t.test("the host's times grow by CPU number, whatever CPU shows where", async t => {
  const before = new CpuCells()
  const now = new CpuCells()
  const list = (...times: [number, number][]) =>
    new Map(times.map(([cpu, userUsec]) => [cpu, time(userUsec)]))
  noteHost(before, list([3, 1], [5, 2]), [3, 5, 9])
  noteHost(now, list([5, 7], [6, 8]), [5, 6])
  t.same(
    rowsOf(before).map(([cpu, userUsec]) => [cpu, userUsec]),
    [
      [3, 1],
      [5, 2],
    ],
  )
  const times = new Float64Array(2 * TIME_FIELDS).fill(1)
  for (const [i, cpu] of [5, 6, 9].entries()) addHostTime(times, TIME_FIELDS, before, now, cpu, i)
  t.same([times[0], times[TIME_FIELDS], times[TIME_FIELDS + 1]], [1, 6, 1])
  addHostTime(times, TIME_FIELDS, now, before, 5, 0)
  t.equal(times[TIME_FIELDS], 6, 'a fall is none')
})
