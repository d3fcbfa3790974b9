/**
 * Names and node numbers of our file system:
 *
 *     proc/… sys/…                        what the caller's container sees
 *     containers/<id>/proc/… sys/…        what that container sees, whoever reads
 *     metrics/procveil.prom               what the server counts
 *
 * A node number is slot * 256 + place; those of what a directory of sysfs holds besides are in node-numbers.ts. Slot 0 is
 * the caller's own view and holds the root; every registered container has a slot of its own.
 */

import type { DirectoryEntry } from '../fuse/dirent.ts'
import { FILES, type ProcFile } from '../proc/files.ts'
import { DIRECTORY_PATHS, type DirectoryPath, type FilePath } from '../proc/paths.ts'
import { METRICS_PATH } from './metrics.ts'
import { isNumbered } from './node-numbers.ts'

/**
 * Places below a view's root. The kernel remembers them for as long as a file is bound in some container, across
 * restarts and upgrades of the server: a place is never given to another path.
 */
const DIRECTORY_PLACES = {
  '': 1,
  proc: 2,
  sys: 3,
  'sys/devices': 4,
  'sys/devices/system': 5,
  'sys/devices/system/cpu': 6,
  containers: 7,
  'proc/pressure': 8,
  metrics: 9,
  'sys/devices/system/node': 10,
} as const satisfies Record<string, number>

/** The place of each file. The compiler reports a file that has none. */
const FILE_PLACES: Readonly<Record<FilePath | typeof METRICS_PATH, number>> = {
  'proc/cpuinfo': 32,
  'proc/diskstats': 33,
  'proc/loadavg': 34,
  'proc/meminfo': 35,
  'proc/partitions': 36,
  'proc/stat': 37,
  'proc/swaps': 38,
  'proc/uptime': 39,
  'sys/devices/system/cpu/online': 40,
  'proc/slabinfo': 41,
  'proc/pressure/cpu': 42,
  'proc/pressure/io': 43,
  'proc/pressure/irq': 44,
  'proc/pressure/memory': 45,
  'sys/devices/system/cpu/offline': 46,
  'sys/devices/system/cpu/possible': 47,
  [METRICS_PATH]: 48,
  'proc/vmstat': 49,
  // 50 is kept for proc/zoneinfo.
  'sys/devices/system/cpu/present': 51,
}

const PLACES: Readonly<Record<string, number>> = { ...DIRECTORY_PLACES, ...FILE_PLACES }

export const SLOT_SIZE = 256

const METRICS = { path: METRICS_PATH, mode: 0o444 } as const

export type ServedFile = ProcFile | typeof METRICS

interface Place {
  path: string
  place: number
  /** `undefined` for a directory. */
  file: ServedFile | undefined
  children: Place[]
}

/** No file in this directory has a place. */
const NODES: DirectoryPath = 'sys/devices/system/node'

const CONTAINERS = place('containers')
/** The places that only slot 0 has. */
const OF_HOST: ReadonlySet<number> = new Set([CONTAINERS, place('metrics'), place(METRICS_PATH)])

const places = new Map<number, Place>()
const root = grow()

/** Returns the place of a node. Every view has most places; the others are in slot 0 alone. */
export function findPlace(nodeid: number): Place | undefined {
  if (isNumbered(nodeid)) return undefined
  const found = places.get(nodeid % SLOT_SIZE)
  return found !== undefined && OF_HOST.has(found.place) && slotOf(nodeid) !== 0 ? undefined : found
}

/** The place of a file, or of a directory of sysfs, in every view. */
export const placeOf = ({ path }: { path: FilePath | DirectoryPath }) => place(path)

export const slotOf = (nodeid: number) => Math.floor(nodeid / SLOT_SIZE)
export const rootOfSlot = (slot: number) => slot * SLOT_SIZE + root.place
export const isContainers = (nodeid: number) => nodeid === CONTAINERS

/** Returns the node called `name` in the directory `parent`, of the same view. */
export function findChild(parent: number, name: string, offered: Offered): number | undefined {
  const child = childrenOf(parent, offered).find(candidate => baseName(candidate) === name)
  return child && slotOf(parent) * SLOT_SIZE + child.place
}

/** Returns the entries of the directory `parent`, of the same view. */
export function listChildren(parent: number, offered: Offered): DirectoryEntry[] {
  const base = slotOf(parent) * SLOT_SIZE
  return childrenOf(parent, offered).map(child => ({
    name: baseName(child),
    nodeid: base + child.place,
    directory: child.file === undefined,
  }))
}

/** Files that this host has. */
export type Offered = ReadonlySet<ProcFile>

function childrenOf(parent: number, offered: Offered): Place[] {
  return (findPlace(parent)?.children ?? []).filter(child =>
    OF_HOST.has(child.place) ? slotOf(parent) === 0 : isOffered(child, offered),
  )
}

/** Whether a place is offered. A directory is there for the files in it, and one of sysfs for what the host has there. */
function isOffered({ path, file, children }: Place, offered: Offered): boolean {
  if (path === NODES) return true
  if (file !== undefined) return isProcFile(file) && offered.has(file)
  return children.some(child => isOffered(child, offered))
}

/** Whether a file is one of a container, and not the server's own. */
export const isProcFile = (file: ServedFile): file is ProcFile => file.path !== METRICS_PATH

function grow(): Place {
  const top = plant('', undefined)
  plant('containers', undefined)
  plant(METRICS_PATH, METRICS)
  for (const file of FILES) plant(file.path, file)
  for (const path of DIRECTORY_PATHS) plant(path, undefined)
  return top
}

/** Adds `path` and the directories above it. */
function plant(path: string, file: ServedFile | undefined): Place {
  const known = places.get(place(path))
  if (known !== undefined) return known
  const planted: Place = { path, place: place(path), file, children: [] }
  places.set(planted.place, planted)
  if (path !== '') plant(directoryOf(path), undefined).children.push(planted)
  return planted
}

function place(path: string): number {
  const found = PLACES[path]
  if (found === undefined)
    throw new Error(`Cannot place ${path} in the file system: it has no number`)
  return found
}

function baseName({ path }: Place): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}
