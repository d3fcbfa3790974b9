/**
 * Holds the shared mount: the connection to the kernel lives as long as this process or its server does. A server that
 * ends or hangs is replaced at once. When this process ends, its server starts another keeper.
 */

import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import { parseTaskState } from '../../host/proc-pid.ts'
import { findServed } from '../../mount/served.ts'
import type { Options } from '../../proc/options.ts'
import type { Log } from '../../sys/log.ts'
import { unmount } from '../../sys/mount.ts'
import type { Settings } from '../settings.ts'
import { CommandProcess } from './command-process.ts'
import { Connection } from './connection.ts'
import { CrashLoop, type Failing } from './crash-loop.ts'
import type { Predecessor } from './predecessor.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import type { Signals } from './signals.ts'
import { judgeInstalled, upgrade, type Verdict } from './upgrade.ts'
import { Watchdog } from './watchdog.ts'

interface KeptMount {
  settings: Settings
  /** /dev/fuse of the mount. */
  fuse: number
  /** The options of containers that have none of their own. */
  options: Options
  /** Whether the kernel may be asked to send requests again: see KeeperOrders. */
  resend: boolean
  /** Whether the mount is not a new one, but another process has kept it until now. */
  adopted: boolean
  /** The server that answers at the mount until the keeper's own server does. */
  predecessor: Predecessor | undefined
  signals: Signals
  /** Called once, when the mount answers. */
  announce: () => void
}

/**
 * Why a keeper ends. A keeper that is `unable` to keep a server alive leaves everything to its predecessor, if it has
 * one.
 */
type Outcome = 'stopped' | 'unable'

/** No text takes a server that does not hang so long: most take less than 1 ms. */
const LONG_USEC = 800_000

export class Keeper {
  readonly #host: Host
  readonly #log: Log
  readonly #kept: KeptMount
  readonly #crashLoop = new CrashLoop()
  readonly #mountId: number | undefined
  readonly #watchdog: Watchdog
  #predecessor: Predecessor | undefined
  #server: ServerProcess
  /** The server that was replaced last because it hung. */
  #hung: ServerProcess | undefined
  /** When it was killed, by CLOCK_MONOTONIC. */
  #hungUsec = 0
  #isAnnounced = false
  #healing: CommandProcess | undefined

  constructor(host: Host, log: Log, kept: KeptMount) {
    this.#host = host
    this.#log = log
    this.#kept = kept
    this.#predecessor = kept.predecessor
    const { mountPoint } = kept.settings
    const mount = findServed(host, mountPoint)
    this.#mountId = mount?.id
    this.#server = this.#start(kept.adopted)
    const connection = new Connection(host, kept.fuse, { mountPoint, minor: mount?.minor }, () =>
      this.#watchdog.start(),
    )
    this.#watchdog = new Watchdog(connection, {
      startedMs: () => this.#server.startedMs,
      hung: () => this.#replaceHung(),
    })
  }

  /** Returns the exit status: 0 when this keeper was told to stop, and 1 when no server can be kept alive. */
  async run(): Promise<number> {
    this.#watchdog.start()
    try {
      const outcome = await this.#untilOver()
      if (outcome === 'unable' && this.#predecessor?.isAlive) {
        await this.#end(this.#server)
        this.#predecessor.close()
      } else {
        await this.#leave()
      }
      return outcome === 'stopped' ? 0 : 1
    } finally {
      this.#watchdog.close()
      closeSync(this.#kept.fuse)
    }
  }

  async #untilOver(): Promise<Outcome> {
    const { signals, settings, fuse, options, resend } = this.#kept
    // A server that ends while an executable is judged is replaced all the same.
    let judging: Promise<Verdict> | undefined
    for (;;) {
      const { ended } = this.#server
      const happened = await signals.or(judging ? Promise.race([ended, judging]) : ended)
      if (happened === 'SIGTERM' || happened === 'SIGINT') {
        this.#log.info(`stops: ${happened}`)
        return 'stopped'
      }
      if (happened === 'SIGHUP') {
        judging ??= judgeInstalled(this.#log)
        continue
      }
      if (happened === 'accepted' || happened === 'refused') {
        judging = undefined
        const handedOver = { fuse, server: this.#server, options, resend }
        if (happened === 'accepted') upgrade(settings, this.#log, handedOver)
        continue
      }
      this.#log.warning(`the server is replaced: ${happened}`)
      const failing = this.#failing(happened)
      this.#crashLoop.add(performance.now(), failing)
      if (this.#crashLoop.isHopeless) {
        this.#log.error(
          new Error(`Cannot keep a server alive at ${settings.mountPoint}: ${happened}`),
        )
        return 'unable'
      }
      await sleep(this.#crashLoop.pauseMs)
      this.#server = this.#start(true, this.#blameUsec(failing))
    }
  }

  #start(resume: boolean, blameUsec?: number): ServerProcess {
    const { settings, fuse, options, resend } = this.#kept
    const server = startServer(settings, fuse, { options, resend, resume, blameUsec })
    server.ready.then(() => this.#ready())
    server.answered.then(() => this.#crashLoop.clear())
    return server
  }

  #failing(happened: string): Failing {
    if (this.#hung === this.#server) return 'hung'
    return happened.endsWith('SIGKILL') ? 'killed' : 'ended'
  }

  /**
   * What took a hung server for long had begun long before: a machine that is short of CPU time only makes everything
   * slow.
   */
  #blameUsec(failing: Failing): number | undefined {
    if (failing === 'killed') return undefined
    return failing === 'hung' ? this.#hungUsec - LONG_USEC : this.#host.clock.monotonicUsec()
  }

  #replaceHung(): void {
    this.#log.warning('the server does not answer; it is replaced')
    // Who answers until an upgrade is done may be what hangs, and a server that somebody has stopped does not.
    if (this.#predecessor === undefined && !this.#isStopped()) {
      this.#hung = this.#server
      this.#hungUsec = this.#host.clock.monotonicUsec()
    }
    this.#predecessor?.kill()
    this.#server.kill()
  }

  #isStopped(): boolean {
    const stat = this.#host.tryRead(`proc/${this.#server.pid}/stat`)
    return stat !== undefined && parseTaskState(stat) === 'T'
  }

  async #ready(): Promise<void> {
    const predecessor = this.#predecessor
    this.#predecessor = undefined
    await predecessor?.end()
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#kept.announce()
    if (!this.#kept.adopted) this.#heal()
  }

  /**
   * Puts the files of the new mount into the registered containers: where all processes of an earlier service were
   * killed, containers still have the files of its mount.
   */
  #heal(): void {
    const { settings } = this.#kept
    if (new Registry(settings.runDirectory).ids().length === 0) return
    this.#healing = new CommandProcess(settings, this.#log, 'remount', '--all', '--registered')
  }

  /**
   * Takes the mount away first, so that no hook binds anything more; then the files that are bound, and last the
   * server.
   */
  async #leave(): Promise<void> {
    const { settings } = this.#kept
    const { mountPoint } = settings
    this.#predecessor?.kill()
    await this.#healing?.stop()
    if (this.#mountId !== undefined && findServed(this.#host, mountPoint)?.id === this.#mountId) {
      unmount(mountPoint)
    }
    await new CommandProcess(settings, this.#log, 'umount', '--all', '--registered').done
    await this.#end(this.#server)
  }

  /** A server that is alive when its keeper ends takes that for a death, and starts another keeper. */
  async #end(server: ServerProcess): Promise<void> {
    server.kill()
    await server.ended
  }
}
