/**
 * Holds the shared mount: the connection to the kernel lives as long as this process or its server does. A server that
 * ends or hangs is replaced at once, and so is a mount that somebody has taken away. When this process ends, its server
 * starts another keeper. Nothing here waits for a process that was killed, or for a file system.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import { Answered } from '../answered.ts'
import { removeTexts } from '../status.ts'
import { Answering } from './answering.ts'
import { Bell } from './bell.ts'
import { Companions } from './companions.ts'
import { Connection } from './connection.ts'
import { CrashLoop } from './crash-loop.ts'
import type { KeptMount } from './kept-mount.ts'
import { Registered } from './registered.ts'
import { LEFT } from './server-process.ts'
import { Servers } from './servers.ts'
import { SharedMount } from './shared-mount.ts'
import { judgeInstalled, upgrade, type Verdict } from './upgrade.ts'
import { Watchdog } from './watchdog.ts'

/**
 * Why a keeper ends. A keeper that is `unable` to keep a server alive leaves everything to its predecessor, if it has
 * one. Where it is `restarting`, systemd keeps the mount for the next one, and readers wait.
 */
type Outcome = 'stopped' | 'unable' | 'restarting'

/** So many servers that were killed and are not gone take 300 MB. */
const MOST_LEFT = 8

/** What keeps a new mount from being made may be over soon. */
const MOUNT_AGAIN_MS = 500

export class Keeper {
  readonly #host: Host
  readonly #log: Log
  readonly #kept: KeptMount
  readonly #crashLoop = new CrashLoop()
  /** Counts how often the mount was taken away, for the pauses alone. */
  readonly #losses = new CrashLoop()
  /** Rings while the mount is not whole. */
  readonly #lost = new Bell()
  readonly #servers: Servers
  readonly #answering: Answering
  readonly #registered: Registered
  readonly #companions: Companions
  #mount: SharedMount
  #connection: Connection
  #watchdog: Watchdog
  #isAnnounced = false
  /** Whether the registered containers may have the files of another mount. */
  #isToHeal: boolean

  constructor(host: Host, log: Log, kept: KeptMount) {
    this.#host = host
    this.#log = log
    this.#kept = kept
    this.#isToHeal = kept.toHeal
    this.#mount = kept.mount
    this.#registered = new Registered(host, kept.settings, log)
    this.#companions = new Companions(kept.settings, log)
    const callbacks = { ready: () => this.#ready(), answered: () => this.#crashLoop.clear() }
    kept.systemd.keep(kept.mount)
    // Before the first server is started, which maps the same file.
    const answered = new Answered(kept.settings, log)
    this.#servers = new Servers(host, log, { ...kept, ...callbacks }, kept.mount, kept.adopted)
    this.#answering = new Answering(host, log, this.#servers, answered, () => this.#lost.ring())
    this.#connection = this.#connect()
    this.#watchdog = this.#watch()
  }

  #connect(): Connection {
    const { mountPoint } = this.#kept.settings
    return new Connection(this.#host, mountPoint, this.#mount, () => this.#watchdog.start())
  }

  #watch(): Watchdog {
    const watchdog = new Watchdog(this.#connection, this.#answering)
    watchdog.begin()
    return watchdog
  }

  /** Returns the exit status: 0 when this keeper was told to stop, and 1 when no server can be kept alive. */
  async run(): Promise<number> {
    this.#companions.open()
    try {
      const outcome = await this.#untilOver()
      await this.#companions.close()
      const { predecessor } = this.#servers
      if (outcome === 'unable' && predecessor?.isAlive) {
        await this.#servers.end()
        predecessor.close()
      } else {
        await this.#leave(outcome)
      }
      return outcome === 'unable' ? 1 : 0
    } finally {
      this.#watchdog.close()
      this.#mount.close()
    }
  }

  async #untilOver(): Promise<Outcome> {
    const { signals, settings, options, systemd } = this.#kept
    // A server that ends while an executable is judged is replaced all the same.
    let judging: Promise<Verdict> | undefined
    for (;;) {
      const events = [this.#servers.current.over, this.#lost.rung, ...(judging ? [judging] : [])]
      const happened = await signals.or(Promise.race(events))
      if (happened === 'SIGTERM' || happened === 'SIGINT') {
        const isRestarting = await systemd.isRestarting()
        this.#log.info(`${isRestarting ? 'ends, to be started again' : 'stops'}: ${happened}`)
        return isRestarting ? 'restarting' : 'stopped'
      }
      if (happened === 'SIGHUP') {
        judging ??= this.#servers.alone.then(() => judgeInstalled(this.#log))
      } else if (happened === 'accepted' || happened === 'older' || happened === 'refused') {
        judging = undefined
        if (happened !== 'refused') {
          await this.#companions.close()
          const server = this.#servers.current
          // One that has ended meanwhile is replaced before anything is handed over.
          if (server.isEnded) judging = Promise.resolve(happened)
          else upgrade(settings, this.#log, { mount: this.#mount, server, options }, happened)
          this.#companions.open()
        }
      } else if (happened === 'rung' || this.#mount.state !== 'whole') {
        if (!(await this.#mend())) return 'unable'
      } else if (!(await this.#replace(happened))) {
        return 'unable'
      }
    }
  }

  /** Starts a server in the place of one that is over, of which `how` is said. Returns false when that is hopeless. */
  async #replace(how: string): Promise<boolean> {
    this.#log.warning(`the server is replaced: ${how}`)
    if (how === LEFT) this.#servers.leave()
    const failing = this.#servers.failing(how)
    this.#crashLoop.add(performance.now(), failing, this.#servers.waitedMs)
    if (this.#crashLoop.isHopeless || this.#servers.left > MOST_LEFT) return this.#isHopeless(how)
    await sleep(this.#crashLoop.pauseMs)
    this.#servers.replace(this.#mount, failing)
    return true
  }

  #isHopeless(why: string): false {
    const { mountPoint } = this.#kept.settings
    this.#log.error(new Error(`Cannot keep a server alive at ${mountPoint}: ${why}`))
    return false
  }

  /** Sees to a mount that was taken away. Returns false when that is hopeless. */
  async #mend(): Promise<boolean> {
    // Who does so again and again is no reason to end, and no reason to do nothing else.
    this.#losses.add(performance.now(), 'killed')
    await sleep(this.#losses.pauseMs)
    this.#lost.reset()
    const { state } = this.#mount
    if (state === 'whole') return true
    if (state === 'aborted') return this.#tryMountAnew('its connection was aborted')
    if (state === 'refusing') return this.#tryMountAnew('it refused everything')
    try {
      if (!this.#mount.putBack()) return await this.#tryMountAnew('it was unmounted')
      this.#log.warning(`${this.#kept.settings.mountPoint} was unmounted: the mount is put back`)
      this.#watchdog.begin()
      return true
    } catch (error) {
      this.#log.error(error)
      return this.#tryMountAnew('it was unmounted')
    }
  }

  /** Returns false when it is hopeless to try again. */
  async #tryMountAnew(why: string): Promise<boolean> {
    const { mountPoint } = this.#kept.settings
    try {
      await this.#mountAnew()
      this.#log.warning(
        `${mountPoint} is mounted anew, and bound into the containers again: ${why}`,
      )
      return true
    } catch (error) {
      this.#log.error(error)
      this.#crashLoop.add(performance.now(), 'ended')
      if (this.#crashLoop.isHopeless) return this.#isHopeless('the mount cannot be made anew')
      await sleep(MOUNT_AGAIN_MS)
      return true
    }
  }

  async #mountAnew(): Promise<void> {
    this.#connection.abort()
    await this.#servers.end()
    const mount = await SharedMount.make(this.#host, this.#kept.settings)
    this.#watchdog.close()
    this.#kept.systemd.drop(this.#mount)
    this.#kept.systemd.keep(mount)
    this.#mount.close()
    this.#mount = mount
    this.#isToHeal = true
    this.#servers.replace(mount, undefined)
    this.#connection = this.#connect()
    this.#watchdog = this.#watch()
  }

  /**
   * Where all processes of an earlier service were killed, or the mount was taken away, containers still have the files of
   * another mount.
   */
  #ready(): void {
    const healed = this.#isToHeal ? this.#registered.bind() : Promise.resolve()
    this.#isToHeal = false
    if (!this.#isAnnounced) this.#kept.announce(healed)
    this.#isAnnounced = true
    this.#companions.served()
  }

  /**
   * Takes the mount away first, so that no hook binds anything more; then the files that are bound, and last the
   * server. What fails keeps nothing else from being done. For a keeper that systemd starts next, all stays in its place.
   */
  async #leave(outcome: Outcome): Promise<void> {
    this.#servers.predecessor?.kill()
    this.#isToHeal = false
    await this.#attempt(() => this.#registered.stopBinding())
    if (outcome === 'restarting') return this.#servers.end()
    await this.#attempt(() => this.#mount.unmount())
    await this.#attempt(() => this.#registered.unbind())
    await this.#servers.end()
    await this.#attempt(() => removeTexts(this.#kept.settings.runDirectory))
    this.#kept.systemd.drop(this.#mount)
    // Who waits for a server that is not gone would wait for as long as that is there, this process too.
    if (this.#mount.state !== 'aborted') this.#connection.abort()
  }

  async #attempt(action: () => unknown): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#log.error(error)
    }
  }
}
