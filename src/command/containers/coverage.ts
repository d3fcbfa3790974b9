/** A running container as `ps` and `doctor` show it, and what lies on its files: by mountinfo alone, no file is touched. */

import { type Mount, parseMounts } from '../../host/mountinfo.ts'
import { findBase, findTarget, isFileOf, pathOf } from '../../mount/target.ts'
import { type Cell, type Colour, type Column, renderTable } from '../terminal/table.ts'

/**
 * `ok`: the files that are bound are all ours. `partial`: some. `host`: none. `stale`: some are of a service that is
 * gone, or of another one.
 */
export type State = 'ok' | 'partial' | 'host' | 'stale'

export interface Files {
  /** Files of the service that runs now. */
  bound: number
  /** Files that can be bound: chosen for this container, and there. */
  files: number
  state: State
  /** Device numbers, as `major:minor`, of the mounts that are not of that service. */
  otherDevices: readonly string[]
}

export interface Seen extends Files {
  id: string
  name?: string | undefined
  /** `undefined` when no runtime says that it runs. */
  runtime?: string | undefined
  pid: number
  /** `undefined` when it may use what the host has. */
  memoryLimitBytes?: number | undefined
  cpuLimit?: number | undefined
  registered: boolean
  /** An operator took the files out. */
  detached: boolean
}

/** `served` is the mount that answers now, `undefined` when none does. `files` are those that the host has. */
export function judge(
  mountinfo: string,
  container: { id: string; rootfs: string },
  files: readonly string[],
  served: Pick<Mount, 'major' | 'minor'> | undefined,
): Files {
  const mounts = parseMounts(mountinfo)
  const base = findBase(mounts, container.rootfs)
  const others = new Set<string>()
  const found = { bound: 0, files: 0 }
  for (const file of files) {
    const target = findTarget(mounts, base, file)
    if (target === undefined) continue
    found.files++
    const { bound } = target
    if (bound === undefined) continue
    // Its own file, or the one at the top of the mount, which shows every caller its own view.
    const paths = [pathOf(container.id, file), `/${file}`]
    if (paths.some(path => isFileOf(bound, served, path))) found.bound++
    else others.add(`${bound.major}:${bound.minor}`)
  }
  const state = others.size > 0 ? 'stale' : stateOf(found)
  return { ...found, state, otherDevices: [...others].sort() }
}

function stateOf({ bound, files }: { bound: number; files: number }): State {
  if (bound === 0) return 'host'
  return bound === files ? 'ok' : 'partial'
}

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'RUNTIME' },
  { title: 'PID', right: true },
  { title: 'MEMORY', right: true },
  { title: 'CPUS', right: true },
  { title: 'FILES', right: true },
  { title: 'STATE' },
]

const COLOURS: Readonly<Record<State, Colour>> = {
  ok: 'green',
  partial: 'yellow',
  host: 'dim',
  stale: 'red',
}

export function renderSeen(containers: readonly Seen[], colourful: boolean): string {
  const rows = containers.map((seen): Cell[] => [
    { text: shortId(seen.id) },
    { text: seen.name ?? '-' },
    { text: seen.runtime ?? '-' },
    { text: String(seen.pid) },
    { text: seen.memoryLimitBytes === undefined ? '-' : renderBytes(seen.memoryLimitBytes) },
    { text: seen.cpuLimit === undefined ? '-' : String(Number(seen.cpuLimit.toFixed(2))) },
    { text: `${seen.bound}/${seen.files}` },
    { text: seen.state, colour: COLOURS[seen.state] },
  ])
  return renderTable(COLUMNS, rows, colourful)
}

/** 12 digits of those that are random; a name that a person chose is cut nowhere. */
export const shortId = (id: string) => (/^[0-9a-f]{32,}$/.test(id) ? id.slice(0, 12) : id)

/** In the largest unit that keeps three digits: `96 MiB`, `1.5 GiB`. */
export function renderBytes(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const larger of ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    if (value < 1024) break
    value /= 1024
    unit = larger
  }
  return `${Number(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0))} ${unit}`
}
