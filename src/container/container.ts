/** A container as we know it: what a registration file holds. */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import { type Options, parseOptions } from '../proc/options.ts'

export interface Container {
  id: string
  /** Of the container's init, on the host; one process only together with `startTicks`. */
  pid: number
  /** When the init was created: /proc/PID/stat field 22. */
  startTicks: number
  /** The container's part of the node numbers of our file system, from 1 to 2^44. */
  slot: number
  cgroups: CgroupPaths
  /** The root file system's path in the namespace of the runtime. */
  rootfs: string
  /** The mount of the root file system as the runtime made it, by its id in mountinfo. */
  rootMount: number
  /** What was chosen for this container; the rest is as for all. */
  options: Partial<Options>
  /** An operator took our files out of it: the service does not put them back by itself. */
  detached?: boolean
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/
export const MAX_SLOT = 2 ** 44

/** An id that can be a file name, whatever a runtime or a caller gave us. Throws a RangeError for any other. */
export function checkId(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id
  throw new RangeError(
    `Cannot use container id ${quote(id)}: it must be 1 to 255 of A-Z a-z 0-9 _ . - and start with a letter or digit`,
  )
}

export const isId = (id: string) => ID.test(id)

/** Of a registration file. Throws a SyntaxError that names the field for anything else. */
export function parseContainer(text: string): Container {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) {
    throw new SyntaxError(`Cannot parse a registration: ${quote(text)} is no object`)
  }
  const { id, pid, startTicks, slot, cgroups, rootfs, rootMount, options, detached } =
    value as Record<string, unknown>
  return {
    id: checkId(id),
    pid: checkNumber('pid', pid, 2 ** 31),
    startTicks: checkNumber('startTicks', startTicks, Number.MAX_SAFE_INTEGER),
    slot: checkNumber('slot', slot, MAX_SLOT),
    cgroups: checkCgroups(cgroups),
    rootfs: checkText('rootfs', rootfs),
    rootMount: checkNumber('rootMount', rootMount, 2 ** 31),
    options: checkOptions(options),
    ...(detached === true ? { detached } : {}),
  }
}

export function renderContainer(container: Container): string {
  return `${JSON.stringify(container)}\n`
}

function checkNumber(field: string, value: unknown, limit: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit) {
    return value
  }
  throw new SyntaxError(`Cannot parse a registration: ${field} is ${quote(value)}`)
}

function checkText(field: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new SyntaxError(`Cannot parse a registration: ${field} is ${quote(value)}`)
}

function checkCgroups(value: unknown): CgroupPaths {
  if (typeof value !== 'object' || value === null) {
    throw new SyntaxError(`Cannot parse a registration: cgroups is ${quote(value)}`)
  }
  const paths: Record<string, string> = {}
  for (const [controller, path] of Object.entries(value)) {
    paths[controller] = checkText(`cgroups.${controller}`, path)
  }
  return paths
}

/** A registration by an earlier version has none. */
function checkOptions(value: unknown): Partial<Options> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null)
    return parseOptions({ ...value }, 'a registration')
  throw new SyntaxError(`Cannot parse a registration: options is ${quote(value)}`)
}

/** For a message: bounded, whatever came in. */
const quote = (value: unknown) => (JSON.stringify(value) ?? 'missing').slice(0, 100)

/** An id as people read it: 12 digits of one that is random. One that a person chose is not cut. */
export const shortId = (id: string) => (/^[0-9a-f]{32,}$/.test(id) ? id.slice(0, 12) : id)
