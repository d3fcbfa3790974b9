/** A container as its registration file describes it. */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import { check, naturalOf, objectOf, parseObject, quote, stringOf, upTo } from '../host/json.ts'
import { type Options, parseOptions } from '../proc/options.ts'

export interface Container {
  id: string
  /** Pid of the container's init on the host; only together with `startTicks` does it name one process for ever. */
  pid: number
  /** When the init was created: /proc/PID/stat field 22. */
  startTicks: number
  /** The container's part of the node numbers of our file system, from 1 to 2^44. */
  slot: number
  cgroups: CgroupPaths
  /** The root file system's path in the mount namespace of the runtime. */
  rootfs: string
  /** Id in mountinfo of the root file system's mount that the runtime made. */
  rootMount: number
  /** Options that were chosen for this container; the others are the same for all containers. */
  options: Partial<Options>
  /** An operator took our files out of the container, and the service does not put them back by itself. */
  detached?: boolean
  /** The container was found in state that a user wrote: one that root's state names takes its place. */
  ofUser?: boolean
}

/** A container before it is registered. It has a slot only if it was registered before. */
export type Described = Omit<Container, 'slot'> & { slot?: number }

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/
export const MAX_SLOT = 2 ** 44
const PARSE = 'parse a registration'

/** Returns `id` if it can be a file name, whatever a runtime or a caller gave us. Throws a RangeError for any other. */
export function checkId(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id
  throw new RangeError(
    `Cannot use container id ${quote(id)}: it must be 1 to 255 of A-Z a-z 0-9 _ . - and start with a letter or digit`,
  )
}

export const isId = (id: string) => ID.test(id)

/** Parses a registration file. Throws a SyntaxError or RangeError that names the field for anything else. */
export function parseContainer(text: string): Container {
  const fields = parseObject(PARSE, text)
  const { pid, startTicks, slot, cgroups, rootfs, rootMount, detached, ofUser } = fields
  // A registration that an earlier version wrote has no options.
  const { options = {} } = fields
  return {
    id: checkId(fields.id),
    pid: check(PARSE, 'pid', pid, upTo(2 ** 31)),
    startTicks: check(PARSE, 'startTicks', startTicks, naturalOf),
    slot: check(PARSE, 'slot', slot, upTo(MAX_SLOT)),
    cgroups: parseCgroups(cgroups),
    rootfs: check(PARSE, 'rootfs', rootfs, stringOf),
    rootMount: check(PARSE, 'rootMount', rootMount, upTo(2 ** 31)),
    options: parseOptions(check(PARSE, 'options', options, objectOf), 'a registration'),
    ...(detached === true ? { detached } : {}),
    ...(ofUser === true ? { ofUser } : {}),
  }
}

export function renderContainer(container: Container): string {
  return `${JSON.stringify(container)}\n`
}

function parseCgroups(value: unknown): CgroupPaths {
  const paths: Record<string, string> = {}
  // Most hierarchies have the container at one path, of which one string will do: a server keeps it for each container.
  let last = ''
  for (const [controller, each] of Object.entries(check(PARSE, 'cgroups', value, objectOf))) {
    const path = check(PARSE, `cgroups.${controller}`, each, stringOf)
    if (path !== last) last = path
    paths[controller] = last
  }
  return paths
}

/** An id as people read it: a random one is cut to 12 digits, one that a person chose stays whole. */
export const shortId = (id: string) => (/^[0-9a-f]{32,}$/.test(id) ? id.slice(0, 12) : id)
