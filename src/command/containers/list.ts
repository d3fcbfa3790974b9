/** The containers that run here, with what they may use and whose files they see: for `ps` and `doctor`. */

import type { Described } from '../../container/container.ts'
import { isAlive } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Mount } from '../../host/mountinfo.ts'
import { readMountsOf } from '../../host/mounts-of.ts'
import { findServed } from '../../mount/served.ts'
import { fieldValue, parseFields } from '../../proc/lines.ts'
import { readMemory } from '../../proc/memory/read.ts'
import { filesToBind, type Options } from '../../proc/options.ts'
import type { Running } from '../../runtimes/claim.ts'
import { readDefaults } from '../../service/config.ts'
import type { Settings } from '../../service/default-settings.ts'
import { findKeeper } from '../../service/status.ts'
import { errorCode } from '../../sys/error.ts'
import { Log } from '../../sys/log.ts'
import { openView } from '../../view/open-view.ts'
import type { Workers } from '../../worker/workers.ts'
import { askMount } from './ask-mount.ts'
import { type Candidate, type Choice, choose, resolve } from './choose.ts'
import { type Coverage, parseCoverage, UNKNOWN } from './coverage.ts'
import { findRunning } from './find-running.ts'
import type { Pools } from './pools.ts'

const ASK_MS = 1000

/** Where runtimes keep their state besides the default directories. */
export type Roots = Pick<Choice, 'runtimeRoot'>

/** Returns our mount if it is served. While its keeper lives the mount is served, and need not be asked. */
export async function findAnswering(
  host: Host,
  settings: Settings,
  workers: Workers,
): Promise<Mount | undefined> {
  const mount = findServed(host, settings.mountPoint)
  if (mount === undefined || findKeeper(host, settings.runDirectory) !== undefined) return mount
  return (await askMount(workers, settings.mountPoint, ASK_MS)) === 'gone' ? undefined : mount
}

/** A running container as `ps` and `doctor` show it. */
export interface ListedContainer extends Coverage {
  id: string
  name?: string | undefined
  /** `undefined` when no runtime says that the container runs. */
  runtime?: string | undefined
  pid: number
  /** `undefined` when the container may use what the host has. */
  memoryLimitBytes?: number | undefined
  cpuLimit?: number | undefined
  registered: boolean
  /** Whether an operator took the files out. */
  detached: boolean
}

export interface Listed {
  containers: ListedContainer[]
  /** Whether all places were looked at but for those of users. */
  isWhole: boolean
}

interface Found {
  candidate: Candidate
  container: Described
  registered: boolean
}

/**
 * Returns the containers that are registered and those that a runtime runs, sorted by id. `served` is the mount that
 * answers now, as for `parseCoverage`.
 */
export async function listContainers(
  host: Host,
  settings: Settings,
  pools: Pools,
  roots: Roots,
  served: Mount | undefined,
): Promise<Listed> {
  const defaults = readDefaults(settings)
  const size = readSize(host)
  const log = new Log('list', undefined)
  const { running, isWhole } = await findRunning(host, pools, roots.runtimeRoot ?? [], log)
  const containers = findAll(host, settings, running).flatMap(
    ({ candidate, container, registered }) => {
      const { id, pid, detached = false } = container
      const options = { ...defaults, ...container.options }
      const found = unlessEnded(host, container, () => ({
        ...readLimits(host, container, options, size),
        ...readCoverage(host, container, options, served),
      }))
      if (found === undefined) return []
      const { name, running } = candidate
      return [{ id, name, runtime: running?.runtime, pid, ...found, registered, detached }]
    },
  )
  return { containers, isWhole }
}

/** Returns each process once: it may be known by the id of its hook and by that of its runtime. */
function findAll(host: Host, settings: Settings, found: readonly Running[]): Found[] {
  const registry = new Registry(settings.runDirectory)
  const byPid = new Map<number, Found>()
  for (const candidate of choose(host, registry, { all: true }, found, 'list')) {
    const container = unlessEnded(host, candidate.running, () =>
      // An annotation that cannot be used is reported when the files are bound.
      resolve(host, registry, candidate, () => {}),
    )
    if (container === undefined) continue
    const registered = registry.find(container.id)?.startTicks === container.startTicks
    const other = byPid.get(container.pid)
    const running = candidate.running ?? other?.candidate.running
    const name = candidate.name ?? other?.candidate.name
    if (other === undefined || registered) {
      byPid.set(container.pid, {
        candidate: { ...candidate, running, name },
        container,
        registered,
      })
    }
  }
  return [...byPid.values()]
}

/** A container may end at any moment. Returns `undefined` for what the kernel then says of its process. */
function unlessEnded<T>(
  host: Host,
  process: { pid: number; startTicks: number } | undefined,
  action: () => T,
): T | undefined {
  try {
    return action()
  } catch (error) {
    if (ENDED.has(errorCode(error) ?? '')) return undefined
    if (process !== undefined && !isAlive(host, process)) return undefined
    throw error
  }
}

/** The errors of a process that has ended. With EINVAL it has left its mount namespace already. */
const ENDED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EINVAL'])

function readCoverage(
  host: Host,
  container: Described,
  options: Options,
  served: Mount | undefined,
): Coverage {
  const files = filesToBind(options).filter(file => host.has(file))
  try {
    return parseCoverage(readMountsOf(host, container.pid), container, files, served)
  } catch (error) {
    if (errorCode(error) === 'EFBIG') return { ...UNKNOWN, files: files.length }
    throw error
  }
}

interface Size {
  memoryBytes: number
  cpus: number
}

function readSize(host: Host): Size {
  const kib = fieldValue(parseFields(host.read('proc/meminfo')), 'MemTotal') ?? 0
  const cpus = host.read('proc/stat').match(/^cpu\d+ /gm)?.length ?? 1
  return { memoryBytes: kib * 1024, cpus }
}

/** Returns the limits as the container sees them, and none where it sees what the host has. */
function readLimits(
  host: Host,
  container: Described,
  options: Options,
  size: Size,
): Pick<ListedContainer, 'memoryLimitBytes' | 'cpuLimit'> {
  const view = openView(host, container, options)
  const memoryBytes = readMemory(view)?.memory.totalBytes ?? Number.POSITIVE_INFINITY
  const { quotaCpus } = view.cpus()
  return {
    ...(memoryBytes < size.memoryBytes ? { memoryLimitBytes: memoryBytes } : {}),
    ...(quotaCpus < size.cpus ? { cpuLimit: quotaCpus } : {}),
  }
}
