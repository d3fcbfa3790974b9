/** What the kernel's counters said at one reading, and what virtual CPUs did between two. */

import type { CpuUsage } from '../../cgroup/cpu.ts'
import { withRoom } from '../kept.ts'
import {
  BY_CPU,
  BY_TOTAL,
  COUNTED,
  type CpuCells,
  FROM_HOST,
  ROWS,
  rowNumbers,
  SOURCE,
  USED,
} from './cells.ts'
import { type Interval, wholeCpus } from './interval.ts'
import { busyUsec, CPU_TIME_FIELDS, type CpuTime, TIME_FIELDS } from './time.ts'
import type { VisibleCpus } from './visible.ts'
import { addWork, fillWork, setWork, spreadWork, takeWork, WORK_FIELDS, workUsec } from './work.ts'

/** The time of the host's CPUs by number, as `parseHostCpus` reads it. */
export type HostCpus = ReadonlyMap<number, CpuTime>

/** Notes in `cells` what was used, and who says which CPUs did it. */
export function noteUsage(cells: CpuCells, usage: CpuUsage, hostCpus: () => HostCpus): void {
  const { perCpu } = usage
  if (perCpu !== undefined) {
    const length = perCpu.count * rowNumbers(BY_CPU)
    cells.reserve(ROWS + length)
    for (let i = 0; i < length; i++) cells.numbers[ROWS + i] = perCpu.numbers[i] as number
    cells.numbers[SOURCE] = BY_CPU
    cells.numbers[COUNTED] = perCpu.count
  } else {
    const host = hostCpus()
    cells.reserve(ROWS + host.size * rowNumbers(BY_TOTAL))
    let at = ROWS
    host.forEach((time, cpu) => {
      cells.numbers[at++] = cpu
      cells.numbers[at++] = Math.min(busyUsec(time), Number.MAX_SAFE_INTEGER)
    })
    cells.numbers[SOURCE] = BY_TOTAL
    cells.numbers[COUNTED] = host.size
  }
  setWork(cells.numbers, USED, usage)
}

/** Notes in `cells` what the host says of the visible CPUs. */
export function noteHost(cells: CpuCells, host: HostCpus, effective: readonly number[]): void {
  cells.reserve(ROWS + effective.length * rowNumbers(FROM_HOST))
  const { numbers } = cells
  let at = ROWS
  let counted = 0
  for (const cpu of effective) {
    const time = host.get(cpu)
    if (time === undefined) continue
    counted++
    numbers[at++] = cpu
    for (const field of CPU_TIME_FIELDS) numbers[at++] = time[field]
  }
  numbers[SOURCE] = FROM_HOST
  numbers[COUNTED] = counted
  numbers.fill(0, USED, USED + WORK_FIELDS)
}

/** Where the row of a CPU is, which is mostly the `guess`-th one; -1 when the CPU was not counted. */
export function findRow({ numbers }: CpuCells, cpu: number, guess: number): number {
  const length = rowNumbers(numbers[SOURCE] as number)
  const end = ROWS + (numbers[COUNTED] as number) * length
  const guessed = ROWS + guess * length
  if (guessed < end && numbers[guessed] === cpu) return guessed
  for (let at = ROWS; at < end; at += length) if (numbers[at] === cpu) return at
  return -1
}

/** By virtual CPU; all containers use these one after the other. */
let busy = new Float64Array(64 * WORK_FIELDS)
let weights = new Float64Array(64)
const used = new Float64Array(WORK_FIELDS)
const usedBefore = new Float64Array(WORK_FIELDS)

/**
 * Spreads over the virtual CPUs what was used in the interval from the reading `before` to the reading `now`, and what is
 * carried into it. Returns the work of each, which holds until the next call; what there is no room for is left in
 * `carry`.
 */
export function spreadUsage(
  before: CpuCells,
  now: CpuCells,
  interval: Interval,
  carry: Float64Array,
  cpus: VisibleCpus,
): Float64Array {
  begin(interval)
  const mostUsec = interval.usec * cpus.effective.length
  const from = before.numbers[SOURCE]
  const to = now.numbers[SOURCE]
  const isByCpu = from === BY_CPU && to === BY_CPU
  const whole = wholeCpus(interval.leastCpus)
  if (isByCpu) takeByCpu(before, now, mostUsec, cpus.effective, whole)
  else if (from === FROM_HOST) {
    // Nobody knows how much of a new source's count came since the last reading.
  } else {
    if (from === BY_TOTAL && to === BY_TOTAL) weigh(before, now, cpus.effective, whole)
    for (let i = 0; i < WORK_FIELDS; i++) used[i] = now.numbers[USED + i] as number
    takeWork(used, 0, before.numbers, USED, mostUsec)
    addWork(carry, 0, used, 0)
  }
  return place(interval, carry, cpus, isByCpu)
}

/** The work of as many virtual CPUs that did none, which holds as that of `spreadUsage`. */
export function noWork(interval: Interval): Float64Array {
  begin(interval)
  return busy
}

function begin({ mostCpus }: Interval): void {
  const count = Math.ceil(mostCpus)
  busy = withRoom(busy, count * WORK_FIELDS)
  weights = withRoom(weights, count)
  busy.fill(0, 0, count * WORK_FIELDS)
  weights.fill(0, 0, count)
}

/**
 * The CPUs that are whole at both readings come first; the others, the last one of a fractional quota among them, do what
 * these have no room for. Under a quota no visible CPU stands for one of the host, and where the kernel does not count by
 * CPU they are filled one after the other.
 */
function place(
  interval: Interval,
  common: Float64Array,
  { effective, quotaCpus }: VisibleCpus,
  isByCpu: boolean,
): Float64Array {
  const whole = wholeCpus(interval.leastCpus)
  const isSpread = isByCpu || quotaCpus === effective.length
  if (isSpread) {
    const roomUsec = interval.usec * Math.min(interval.mostCpus, 1)
    spreadWork(busy, whole, common, weights, roomUsec)
  }
  fillWork(busy, isSpread ? whole : 0, common, interval)
  return busy
}

/** The virtual CPU that stands for a CPU of the host does what is used there. It weighs as much as it does. */
function takeByCpu(
  before: CpuCells,
  now: CpuCells,
  mostUsec: number,
  effective: readonly number[],
  whole: number,
): void {
  const counted = now.numbers[COUNTED] as number
  const length = rowNumbers(BY_CPU)
  // Both lists ascend, the kernel's and ours.
  for (let k = 0, j = 0; k < counted; k++) {
    const at = ROWS + k * length
    const cpu = now.numbers[at] as number
    while (j < effective.length && (effective[j] as number) < cpu) j++
    takeRow(used, now, at)
    takeRow(usedBefore, before, findRow(before, cpu, k))
    takeWork(used, 0, usedBefore, 0, mostUsec)
    addWork(busy, ((effective[j] === cpu ? j : cpu) % whole) * WORK_FIELDS, used, 0)
  }
  for (let i = 0; i < whole; i++) weights[i] = workUsec(busy, i * WORK_FIELDS)
}

/** Copies the work of a CPU, of which cgroups do not know what was niced; -1 is where there is none. */
function takeRow(work: Float64Array, { numbers }: CpuCells, at: number): void {
  work[0] = at < 0 ? 0 : (numbers[at + 1] as number)
  work[1] = 0
  work[2] = at < 0 ? 0 : (numbers[at + 2] as number)
}

/** The busier a CPU of the host was, the more of the usage is that of the virtual CPU that stands for it. */
function weigh(before: CpuCells, now: CpuCells, effective: readonly number[], whole: number): void {
  for (let j = 0; j < effective.length; j++) {
    const cpu = effective[j] as number
    const nowAt = findRow(now, cpu, j)
    const beforeAt = findRow(before, cpu, j)
    if (nowAt < 0 || beforeAt < 0) continue
    const passedUsec = (now.numbers[nowAt + 1] as number) - (before.numbers[beforeAt + 1] as number)
    weights[j % whole] = (weights[j % whole] as number) + Math.max(passedUsec, 0)
  }
}

/** Adds to a row of times what the host's own counters of a CPU grew by, never less than nothing. */
export function addHostTime(
  times: Float64Array,
  at: number,
  before: CpuCells,
  now: CpuCells,
  cpu: number,
  guess: number,
): void {
  const nowAt = findRow(now, cpu, guess)
  const beforeAt = findRow(before, cpu, guess)
  if (nowAt < 0 || beforeAt < 0) return
  for (let i = 0; i < TIME_FIELDS; i++) {
    const passedUsec =
      (now.numbers[nowAt + 1 + i] as number) - (before.numbers[beforeAt + 1 + i] as number)
    times[at + i] = (times[at + i] as number) + Math.max(passedUsec, 0)
  }
}
