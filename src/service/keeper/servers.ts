/**
 * The servers of a keeper: the current one, which answers; the predecessor, which answers until then; and those that were
 * killed and are not gone. Only one of them can answer.
 */

import { findFreezes } from '../../cgroup/freezer.ts'
import type { Host } from '../../host/host.ts'
import { parseTaskState } from '../../host/proc-pid.ts'
import type { Options } from '../../proc/options.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { Bell } from './bell.ts'
import type { Failing } from './crash-loop.ts'
import type { Predecessor } from './predecessor.ts'
import { LEFT, type ServerProcess, startServer } from './server-process.ts'
import type { Descriptors } from './shared-mount.ts'

interface ServersSetup {
  settings: Settings
  /** The options of containers that have none of their own. */
  options: Options
  /** The server that answers at the mount until the keeper's own server does. */
  predecessor: Predecessor | undefined
  /** Called when a server can answer, and is the only one that can. */
  ready: () => void
  answered: () => void
}

/** No text takes a server that does not hang so long: most take less than 1 ms. */
const LONG_USEC = 800_000

export class Servers {
  readonly #host: Host
  readonly #log: Log
  readonly #setup: ServersSetup
  readonly #alone = new Bell()
  #current: ServerProcess
  #predecessor: Predecessor | undefined
  #isEnding = false
  readonly #left = new Set<ServerProcess>()
  /** The server that was replaced last because it hung. */
  #hung: ServerProcess | undefined
  /** When it was killed, by CLOCK_MONOTONIC. */
  #hungUsec = 0
  /** How long a request had waited by then. */
  #waitedMs = 0

  /** Starts the first server. */
  constructor(host: Host, log: Log, setup: ServersSetup, mount: Descriptors, resume: boolean) {
    this.#host = host
    this.#log = log
    this.#setup = setup
    this.#predecessor = setup.predecessor
    if (setup.predecessor === undefined) this.#alone.ring()
    this.#current = this.#start(mount, resume)
  }

  get current(): ServerProcess {
    return this.#current
  }

  /** How long a request had waited when the server was killed that hung last. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  get predecessor(): Predecessor | undefined {
    return this.#predecessor
  }

  /** Resolves when there is no predecessor any more. */
  get alone(): Promise<unknown> {
    return this.#alone.rung
  }

  /** How many servers were killed and are not gone. */
  get left(): number {
    return this.#left.size
  }

  /**
   * Starts a server in the place of the current one, which is over. `failing` says how that failed; `undefined` where the
   * mount is a new one.
   */
  replace(mount: Descriptors, failing: Failing | undefined): void {
    const blameUsec = failing && this.#blameUsec(failing)
    this.#current = this.#start(mount, failing !== undefined, blameUsec)
  }

  #start(mount: Descriptors, resume: boolean, blameUsec?: number): ServerProcess {
    const { settings, options, answered } = this.#setup
    const beforePid = this.#predecessor?.pid
    const orders = { options, resume, blameUsec, beforePid }
    const server = startServer(this.#host, settings, mount, orders)
    if (beforePid === undefined) server.go()
    server.ready.then(() => this.#ready())
    server.answered.then(answered)
    return server
  }

  async #ready(): Promise<void> {
    if (this.#isEnding) return
    if (this.#predecessor !== undefined) {
      this.#isEnding = true
      const { pid } = this.#predecessor
      const isGone = await this.#predecessor.end()
      if (!isGone) this.#log.warning(`server ${pid} ${LEFT_BEHIND}`)
      this.#isEnding = false
      this.#predecessor = undefined
      this.#alone.ring()
      this.#current.go()
    }
    this.#setup.ready()
  }

  /** How the current server, of which `how` is said, has failed. */
  failing(how: string): Failing {
    if (this.#hung === this.#current) return 'hung'
    return how.endsWith('SIGKILL') || how === LEFT ? 'killed' : 'ended'
  }

  /**
   * What took a hung server for long had begun long before: a machine that is short of CPU time only makes everything
   * slow.
   */
  #blameUsec(failing: Failing): number | undefined {
    if (failing === 'killed') return undefined
    return failing === 'hung' ? this.#hungUsec - LONG_USEC : this.#host.clock.monotonicUsec()
  }

  /** To be called when a request has waited for `waitedMs`. Returns whether the current server is what hangs. */
  killHung(waitedMs: number): boolean {
    // Who answers until an upgrade is done may be what hangs, and a server that somebody has stopped or frozen does not:
    // what it was at is not to blame.
    const isHung = this.#predecessor === undefined && !this.#isHalted()
    if (isHung) {
      this.#hung = this.#current
      this.#hungUsec = this.#host.clock.monotonicUsec()
      this.#waitedMs = waitedMs
    }
    this.#predecessor?.kill()
    this.#current.kill()
    return isHung
  }

  #isHalted(): boolean {
    const { pid } = this.#current
    if (pid === undefined) return false
    const stat = this.#host.tryRead(`proc/${pid}/stat`)
    const isStopped = stat !== undefined && parseTaskState(stat) === 'T'
    return isStopped || findFreezes(this.#host, pid).length > 0
  }

  /**
   * Kills the current server, and returns when it answers nothing more. A server that is alive when its keeper ends takes
   * that for a death, and starts another keeper.
   */
  async end(): Promise<void> {
    this.#current.kill()
    if ((await this.#current.over) === LEFT) this.leave()
  }

  /** Notes that the current server was killed and is not gone. */
  leave(): void {
    const server = this.#current
    if (this.#left.has(server)) return
    this.#left.add(server)
    this.#log.warning(`server ${server.pid} ${LEFT_BEHIND}; of such servers there are ${this.left}`)
    server.ended.then(() => {
      this.#left.delete(server)
      this.#log.info(`server ${server.pid}, which was left to itself, is gone`)
    })
  }
}

const LEFT_BEHIND = 'was killed and is not gone: it waits in the kernel, and is left to itself'
