/**
 * What a version has written down of a view that wrote JSON. A part that this version cannot go on from is left out, and
 * its numbers begin anew: with half of one, they would be none, or a count of time would take for ever.
 */

import { arrayOf, type Fields, naturalOf, objectOf, stringOf } from '../host/json.ts'
import {
  BY_CPU,
  BY_TOTAL,
  CARRY,
  COUNTED,
  CPUS,
  FROM_HOST,
  ROWS,
  SOURCE,
  TAKEN_USEC,
  USED,
} from '../proc/cpu/cells.ts'
import { CPU_TIME_FIELDS } from '../proc/cpu/time.ts'
import { type DiskRecord, keepRecord, whatOf } from '../proc/disk/account.ts'
import { DISK_FIELDS } from '../proc/disk/counters.ts'
import { type FindKept, WHAT } from '../proc/kept.ts'

/** Keeps the parts that the container `wantedId` can go on from. */
export function takeOver(fields: Fields, wantedId: string, find: FindKept): void {
  // The first versions did not write down whose state it was.
  if ((stringOf(fields.id) ?? wantedId) !== wantedId) return
  const cpu = cpuOf(fields.cpu)
  if (cpu !== undefined) find(WHAT.cpu).store(Float64Array.from(cpu), cpu.length)
  const load = loadOf(fields.load)
  if (load !== undefined) find(WHAT.load).store(Float64Array.from(load), load.length)
  for (const [key, record] of Object.entries(recordOf(fields.disks, diskOf) ?? {})) {
    const [, major, minor] = DEVICE.exec(key) ?? []
    if (minor === undefined) continue
    keepRecord(find(whatOf({ major: Number(major), minor: Number(minor) })), record)
  }
}

const DEVICE = /^(\d{1,4}):(\d{1,7})$/

type Read<Value> = (value: unknown) => Value | undefined

/** Sums of doubles may be a hair below 0. */
const numberOf: Read<number> = value =>
  typeof value === 'number' && value > -1 && value <= Number.MAX_SAFE_INTEGER ? value : undefined

/** Reads an object in which each of these names is that of a number. */
const numbersOf =
  <Name extends string>(names: readonly Name[], read = numberOf): Read<Record<Name, number>> =>
  value => {
    const fields = objectOf(value)
    const numbers = names.map(name => [name, read(fields?.[name])] as const)
    if (numbers.some(([, number]) => number === undefined)) return undefined
    return Object.fromEntries(numbers) as Record<Name, number>
  }

/** Reads an object of any names, and gives none where one of its values cannot be read. */
function recordOf<Value>(value: unknown, read: Read<Value>): Record<string, Value> | undefined {
  const fields = objectOf(value)
  if (fields === undefined) return undefined
  const entries = Object.entries(fields).map(([name, each]) => [name, read(each)] as const)
  if (entries.some(([, each]) => each === undefined)) return undefined
  return Object.fromEntries(entries) as Record<string, Value>
}

const WORK = ['userUsec', 'niceUsec', 'systemUsec'] as const
const workOf = numbersOf(WORK)
const timeOf = numbersOf(CPU_TIME_FIELDS)
const countersOf = numbersOf(DISK_FIELDS, naturalOf)

function cpuOf(value: unknown): number[] | undefined {
  const fields = objectOf(value)
  const takenUsec = numberOf(fields?.monotonicUsec)
  const raw = rawOf(objectOf(fields?.raw))
  const carry = workOf(fields?.carry)
  const total = timeOf(fields?.total)
  const cpus = arrayOf(fields?.cpus)?.flatMap(each => timeOf(each) ?? [])
  if (takenUsec === undefined || raw === undefined) return undefined
  if (carry === undefined || total === undefined || cpus === undefined) return undefined
  if (cpus.length !== arrayOf(fields?.cpus)?.length) return undefined
  const numbers: number[] = []
  numbers[TAKEN_USEC] = takenUsec
  numbers[SOURCE] = raw.source
  numbers[COUNTED] = raw.rows.length
  numbers[CPUS] = cpus.length
  WORK.forEach((field, i) => {
    numbers[CARRY + i] = carry[field]
    numbers[USED + i] = raw.used[field]
  })
  const times = [total, ...cpus].map(time => CPU_TIME_FIELDS.map(field => time[field]))
  numbers.length = ROWS
  return numbers.concat(raw.rows.flat(), times.flat())
}

/** What the counters said, with a row for each CPU. */
interface Raw {
  source: number
  used: Record<(typeof WORK)[number], number>
  rows: number[][]
}

function rawOf(fields: Fields | undefined): Raw | undefined {
  if (fields?.source === 'host') {
    const rows = rowsOf(fields.cpus, timeOf, time => CPU_TIME_FIELDS.map(field => time[field]))
    return rows && { source: FROM_HOST, used: { userUsec: 0, niceUsec: 0, systemUsec: 0 }, rows }
  }
  const used = workOf(fields?.total)
  if (fields?.source !== 'cgroup' || used === undefined) return undefined
  const byCpu = rowsOf(fields.perCpu, workOf, work => [work.userUsec, work.systemUsec])
  if (byCpu !== undefined) return { source: BY_CPU, used, rows: byCpu }
  const byTotal = rowsOf(fields.hostBusyUsec, numberOf, usec => [usec])
  return byTotal && { source: BY_TOTAL, used, rows: byTotal }
}

/** Reads an object by CPU number: the rows begin with it, and ascend. */
function rowsOf<Value>(
  value: unknown,
  read: Read<Value>,
  toNumbers: (value: Value) => number[],
): number[][] | undefined {
  const record = recordOf(value, read)
  if (record === undefined) return undefined
  const rows = Object.entries(record).map(([cpu, each]) => [Number(cpu), ...toNumbers(each)])
  return rows.every(([cpu]) => naturalOf(cpu) !== undefined) ? rows : undefined
}

const loadsOf = numbersOf(['0', '1', '2'], naturalOf)
const countOf = numbersOf(['running', 'blocked', 'threads', 'lastPid'], naturalOf)
const sampledOf = numbersOf(['lastPid', 'gridUsec', 'passUsec', 'readUsec'])

/** The numbers of a LoadSampler, in its order. */
function loadOf(value: unknown): number[] | undefined {
  const fields = objectOf(value)
  const sampled = sampledOf(fields)
  const averages = loadsOf({ ...arrayOf(fields?.loads) })
  const count = countOf(fields?.count)
  if (fields === undefined || sampled === undefined || averages === undefined) return undefined
  if (count === undefined && fields.count !== undefined) return undefined
  const { gridUsec, passUsec, readUsec, lastPid } = sampled
  return [
    ...[gridUsec, passUsec, readUsec, lastPid],
    ...[averages[0], averages[1], averages[2]],
    ...(count === undefined
      ? [0, 0, 0, 0, 0]
      : [1, count.running, count.blocked, count.threads, count.lastPid]),
  ]
}

const millisecondsOf = numbersOf(['readMs', 'writeMs', 'discardMs', 'busyMs'])

const diskOf: Read<DiskRecord> = value => {
  const fields = objectOf(value)
  const shown = countersOf(fields?.shown)
  if (shown === undefined) return undefined
  const share = objectOf(fields?.share)
  const milliseconds = millisecondsOf(share)
  const own = countersOf(share?.own)
  const host = countersOf(share?.host)
  if (milliseconds === undefined || own === undefined || host === undefined) return { shown }
  return { shown, share: { ...milliseconds, own, host } }
}
