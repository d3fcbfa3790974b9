/**
 * What an earlier server has written down of a view. A part that this version cannot go on from is left out, and its
 * numbers begin anew: with half of one, they would be none, or a count of time would take for ever.
 */

import type { Clock } from '../host/host.ts'
import { arrayOf, type Fields, naturalOf, objectOf, stringOf } from '../host/json.ts'
import type { CpuAccountState } from '../proc/cpu/account.ts'
import { CPU_TIME_FIELDS } from '../proc/cpu/time.ts'
import type { DiskAccountState } from '../proc/disk/account.ts'
import { DISK_FIELDS } from '../proc/disk/counters.ts'
import type { LoadState } from './load-sampler.ts'

/** What a view accumulates, as plain JSON. A server saves it for the next one. */
export interface ViewState {
  /** Whose state this is; `undefined` where an earlier version wrote it. */
  id?: string | undefined
  cpu?: CpuAccountState | undefined
  load?: LoadState | undefined
  disks?: DiskAccountState | undefined
}

/** Returns the parts that the container `wantedId` can go on from. A time to come is one of another boot. */
export function parseViewState(
  fields: Fields,
  wantedId: string,
  clock: Pick<Clock, 'monotonicUsec'>,
): ViewState {
  // An earlier version did not write down whose state it was.
  const id = stringOf(fields.id)
  if ((id ?? wantedId) !== wantedId) return {}
  const nowUsec = clock.monotonicUsec()
  return {
    id,
    cpu: cpuOf(fields.cpu, nowUsec),
    load: loadOf(fields.load, nowUsec),
    disks: recordOf(fields.disks, diskOf),
  }
}

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

const workOf = numbersOf(['userUsec', 'niceUsec', 'systemUsec'])
const timeOf = numbersOf(CPU_TIME_FIELDS)
const countersOf = numbersOf(DISK_FIELDS, naturalOf)

function cpuOf(value: unknown, nowUsec: number): CpuAccountState | undefined {
  const fields = objectOf(value)
  const monotonicUsec = numberOf(fields?.monotonicUsec)
  const raw = rawOf(objectOf(fields?.raw))
  const carry = workOf(fields?.carry)
  const total = timeOf(fields?.total)
  const cpus = arrayOf(fields?.cpus)?.flatMap(each => timeOf(each) ?? [])
  if (monotonicUsec === undefined || monotonicUsec > nowUsec) return undefined
  if (raw === undefined || carry === undefined || total === undefined) return undefined
  if (cpus === undefined || cpus.length !== arrayOf(fields?.cpus)?.length) return undefined
  return { monotonicUsec, raw, carry, total, cpus }
}

function rawOf(fields: Fields | undefined): CpuAccountState['raw'] | undefined {
  if (fields?.source === 'host') {
    const cpus = recordOf(fields.cpus, timeOf)
    return cpus === undefined ? undefined : { source: 'host', cpus }
  }
  const total = workOf(fields?.total)
  if (fields?.source !== 'cgroup' || total === undefined) return undefined
  const perCpu = recordOf(fields.perCpu, workOf)
  if (perCpu !== undefined) return { source: 'cgroup', total, perCpu }
  const hostBusyUsec = recordOf(fields.hostBusyUsec, numberOf)
  return hostBusyUsec === undefined ? undefined : { source: 'cgroup', total, hostBusyUsec }
}

const loadsOf = numbersOf(['0', '1', '2'], naturalOf)
const countOf = numbersOf(['running', 'blocked', 'threads', 'lastPid'], naturalOf)
const sampledOf = numbersOf(['lastPid', 'gridUsec', 'passUsec', 'readUsec'])

function loadOf(value: unknown, nowUsec: number): LoadState | undefined {
  const fields = objectOf(value)
  const sampled = sampledOf(fields)
  const averages = loadsOf({ ...arrayOf(fields?.loads) })
  const count = countOf(fields?.count)
  if (fields === undefined || sampled === undefined || averages === undefined) return undefined
  if (count === undefined && fields.count !== undefined) return undefined
  const { gridUsec, passUsec, readUsec } = sampled
  if (Math.max(gridUsec, passUsec, readUsec) > nowUsec) return undefined
  return { ...sampled, loads: [averages[0], averages[1], averages[2]], count }
}

const millisecondsOf = numbersOf(['readMs', 'writeMs', 'discardMs', 'busyMs'])

const diskOf: Read<DiskAccountState[string]> = value => {
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
