/**
 * `procveil remount` puts our files into running containers, hooked or not, where the files are missing or are those
 * of a service that is gone; `procveil umount` takes them out. Workers do it side by side: one container's failure does
 * not stop the others, and one that hangs is left behind.
 */

import { readFileSync } from 'node:fs'
import { Registry } from '../container/registry.ts'
import { Host } from '../host/host.ts'
import { parseObject, stringsOf } from '../host/json.ts'
import { DEFAULT_OPTIONS } from '../proc/options.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/default-settings.ts'
import { SILENT } from '../service/handover.ts'
import { findKeeper } from '../service/status.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { isWorkerFailure } from '../worker/messages.ts'
import type { Workers } from '../worker/workers.ts'
import { type Candidate, type Choice, choose } from './containers/choose.ts'
import { findRunning } from './containers/find-running.ts'
import { inTurns } from './containers/in-turns.ts'
import { Pools } from './containers/pools.ts'
import type { RebindInput } from './jobs/rebind.ts'
import { Tally } from './terminal/tally.ts'

export type RemountOptions = Choice & {
  json?: boolean
  /** Whether stdin names the containers, with annotations that they lack: those which the service's NRI plugin missed. */
  missed?: boolean
}

/** One of the two commands. */
interface Command {
  name: 'remount' | 'umount'
  job: 'attach' | 'detach'
  /** The word for success. */
  did: 'attached' | 'detached'
}

/** So many containers are worked on at a time, beside those that hang. */
const SIDE_BY_SIDE = 4
const MOST_HUNG = 64

/** Those that the service starts have to fit into its memory: see MemoryMax= in systemd/procveil.service. */
const MOST_HUNG_OF_SERVICE = 16

/** One container takes some milliseconds. */
const TIMEOUT_MS = 5000

/** Where no service runs, the first container waits for one to be started. */
const START_TIMEOUT_MS = 10_000

/** Returns the exit status: 1 when a container failed, or when not all can be found that are to be; or SILENT. */
export function remount(settings: Settings, options: RemountOptions): Promise<number> {
  return runForEach(settings, options, { name: 'remount', job: 'attach', did: 'attached' })
}

/**
 * Returns the exit status as `remount` does. The containers stay registered: their views go on where they were when the
 * containers are attached again.
 */
export function umount(settings: Settings, options: RemountOptions): Promise<number> {
  return runForEach(settings, options, { name: 'umount', job: 'detach', did: 'detached' })
}

async function runForEach(
  settings: Settings,
  options: RemountOptions,
  { name, job, did }: Command,
): Promise<number> {
  const host = new Host('/', systemClock)
  const log = new Log(name, settings.log)
  const { all = false, registered = false, runtimeRoot = [], missed } = options
  const isOwn = registered || missed === true
  // Files can be taken out whatever is configured.
  const defaults = job === 'attach' ? readDefaults(settings) : DEFAULT_OPTIONS
  const mostHung = isOwn ? MOST_HUNG_OF_SERVICE : MOST_HUNG
  const pools = new Pools(settings, { most: SIDE_BY_SIDE, mostHung })
  const { running, isWhole } = registered
    ? { running: [], isWhole: true }
    : await findRunning(host, pools, runtimeRoot, log)
  const registry = new Registry(settings.runDirectory)
  const chosen = choose(host, registry, options, running, name)
  const candidates = missed ? pickMissed(chosen, parseMissed(readFileSync(0, 'utf8'))) : chosen
  const tally = new Tally(did, candidates.length, log, options.json === true)
  const isServed = findKeeper(host, settings.runDirectory) !== undefined
  const timeoutMs = job === 'detach' || isServed ? TIMEOUT_MS : START_TIMEOUT_MS
  let failed = 0
  let silent = 0
  // That the log cannot be written is said once, not by each worker.
  const forWorkers = { ...settings, log: log.file }
  const work = async (candidate: Candidate, workers: Workers) => {
    const input: RebindInput = { settings: forWorkers, candidate, defaults, registered: isOwn, all }
    try {
      return (await workers.ask<string | null>(job, input, timeoutMs)) ?? undefined
    } catch (cause) {
      failed++
      if (!isWorkerFailure(cause)) throw cause
      silent++
      throw new Error(`Cannot ${name} ${candidate.id}: ${(cause as Error).message}`)
    }
  }
  await inTurns(registry, candidates, pools, (each, workers) =>
    tally.try(each.id, () => work(each, workers)),
  )
  await pools.close()
  const status = tally.end()
  if (registered && silent > 0 && silent === failed) return SILENT
  if (isWhole || !all) return status
  log.error(new Error(`Cannot ${name} all containers: some may not have been found`))
  return 1
}

/** Returns the named containers that run, with the annotations that are given for each. */
function pickMissed(
  candidates: readonly Candidate[],
  missed: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Candidate[] {
  return candidates.flatMap(({ running, ...candidate }) => {
    const given = missed.get(candidate.id)
    if (given === undefined || running === undefined) return []
    return [
      { ...candidate, running: { ...running, annotations: { ...running.annotations, ...given } } },
    ]
  })
}

function parseMissed(text: string): Map<string, Record<string, string>> {
  const fields = parseObject('read the containers from stdin', text)
  return new Map(Object.entries(fields).map(([id, annotations]) => [id, stringsOf(annotations)]))
}
