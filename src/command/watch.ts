/**
 * `procveil watch` puts our files into containers as they start, whether a runtime runs our hook or not, and forgets them
 * when they end. The kernel tells when a runtime's directories change: nothing is looked at again and again, and no daemon
 * is asked. No reader waits for this process.
 */

import { writeFileSync } from 'node:fs'
import { isId } from '../container/container.ts'
import { Host } from '../host/host.ts'
import { placesOf } from '../runtimes/places.ts'
import { systemSearches } from '../runtimes/running.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/default-settings.ts'
import { ENVIRONMENT, ownExecutable } from '../service/executable.ts'
import { commandLine } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Inotify } from '../sys/inotify.ts'
import { Log } from '../sys/log.ts'
import { become } from '../sys/process.ts'
import { parseRoot } from './containers/find-running.ts'
import { Pools } from './containers/pools.ts'
import type { MeetInput, Met } from './jobs/meet.ts'
import { Arrivals } from './watch/arrivals.ts'
import { lookAtOthers, TIMEOUT_MS } from './watch/first-look.ts'
import { type Entry, PlaceWatch } from './watch/place-watch.ts'

export interface WatchOptions {
  /** Where runtimes keep their state besides the default directories. */
  runtimeRoot?: string[]
  /** Whether the process ends with its stdin, which the keeper holds. */
  ofService?: boolean
}

/** So many containers are worked on at a time, beside those that hang: more only wait for the CPU. */
const WORKERS = { most: 3, mostHung: 16, idleMs: 120_000 }

/** The longest time of a timer, which keeps the process: 25 days. */
const FOR_EVER_MS = 2 ** 31 - 1

/** Returns the exit status when it is told to end. Throws when nothing can be watched. */
export async function watch(settings: Settings, options: WatchOptions): Promise<number> {
  const { runtimeRoot = [], ofService = false } = options
  restOnceMore(settings, runtimeRoot)
  const ended = untilEnd(ofService)
  const log = new Log('watch', settings.log)
  const watcher = new Watcher(settings, runtimeRoot, log)
  watcher.begin()
  await ended
  await watcher.close()
  return 0
}

/** Without this variable the run time wakes up once in a second. It has to be there from the beginning. */
function restOnceMore(settings: Settings, runtimeRoot: readonly string[]): void {
  const { BUN_GC_TIMER_DISABLE } = ENVIRONMENT
  if (process.env.BUN_GC_TIMER_DISABLE !== undefined) return
  const roots = runtimeRoot.flatMap(root => ['--runtime-root', root])
  const environment = { ...process.env, BUN_GC_TIMER_DISABLE } as Record<string, string>
  become(ownExecutable().path, commandLine(settings, 'watch', ...roots), environment, [])
}

function untilEnd(ofService: boolean): Promise<void> {
  return new Promise(resolve => {
    const timer = setInterval(() => {}, FOR_EVER_MS)
    const end = () => {
      clearInterval(timer)
      resolve()
    }
    process.once('SIGTERM', end)
    process.once('SIGINT', end)
    if (ofService) process.stdin.once('close', end).once('end', end).resume()
  })
}

class Watcher {
  readonly #settings: Settings
  readonly #runtimeRoots: readonly string[]
  readonly #log: Log
  readonly #host = new Host('/', systemClock)
  readonly #defaults: ReturnType<typeof readDefaults>
  readonly #pools: Pools
  readonly #inotify: Inotify
  readonly #places: PlaceWatch
  readonly #arrivals: Arrivals<Entry>
  /** Of the containers that are told of while all are looked at. */
  #told: Set<string> | undefined
  #isFull = false

  constructor(settings: Settings, runtimeRoots: readonly string[], log: Log) {
    // That the log cannot be written is said once, not by each worker.
    this.#settings = { ...settings, log: log.file }
    this.#runtimeRoots = runtimeRoots
    this.#log = log
    this.#defaults = readDefaults(settings)
    this.#pools = new Pools(this.#settings, WORKERS)
    this.#arrivals = new Arrivals({
      look: entry => this.#look(entry),
      over: entry => this.#places.close(entry),
      failed: (entry, cause) =>
        this.#log.error(new Error(`Cannot attach ${idOf(entry)}`, { cause })),
    })
    this.#inotify = new Inotify(events => this.#places.take(events))
    const places = placesOf([...runtimeRoots.map(parseRoot), ...systemSearches()])
    this.#places = new PlaceWatch(this.#host, this.#inotify, places, {
      changed: entry => this.#changed(entry),
      lost: () => this.#lookAtAll(),
      failed: error => this.#cannotWatch(error),
    })
  }

  begin(): void {
    this.#lookAtAll()
    this.#inotify.begin()
    this.#log.info(`watches ${this.#places.count} directories`)
  }

  async close(): Promise<void> {
    this.#arrivals.close()
    this.#inotify.close()
    await this.#pools.close()
  }

  #changed(entry: Entry): void {
    const id = idOf(entry)
    if (!isId(id)) return
    this.#told?.add(id)
    this.#arrivals.happened(`${entry.root}/${entry.name}`, entry)
  }

  async #look(entry: Entry): Promise<boolean> {
    const { place, root, name } = entry
    const { runtime, roots = [root] } = place
    const input: MeetInput = {
      settings: this.#settings,
      defaults: this.#defaults,
      id: idOf(entry),
      search: { runtime, roots },
      entry: `${root}/${name}`,
    }
    const met = await this.#pools.root.ask<Met>('meet', input, TIMEOUT_MS)
    if (met === 'attached' || met === 'forgotten') this.#did(met, input.id)
    return met !== 'unready'
  }

  #lookAtAll(): void {
    const told = new Set<string>()
    this.#told = told
    this.#places.lookAtAll()
    this.#told = undefined
    const input = { settings: this.#settings, defaults: this.#defaults }
    void lookAtOthers({
      host: this.#host,
      pools: this.#pools,
      log: this.#log,
      runtimeRoots: this.#runtimeRoots,
      input: { ...input, registered: true, all: true },
      isToldOf: id => told.has(id),
      did: (what, id) => this.#did(what, id),
    })
  }

  #did(what: 'attached' | 'forgotten', id: string): void {
    this.#log.info(`${what} ${id}`)
    try {
      writeFileSync(1, `${what} ${id}\n`)
    } catch {
      // Nobody reads it.
    }
  }

  /** One directory that cannot be watched is followed by many, for the same reason. */
  #cannotWatch(cause: unknown): void {
    if (this.#isFull) return
    this.#isFull = true
    const what = 'Cannot watch all directories; sysctl fs.inotify.max_user_watches may be too low'
    this.#log.error(new Error(what, { cause }))
  }
}

const idOf = ({ place, name }: Entry) => name.slice(place.prefix.length)
