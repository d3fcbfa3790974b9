/**
 * Holds the shared mount: the connection to the kernel lives as long as this process or its server does. A server
 * that ends or hangs is replaced at once; when this process ends, the server starts another one.
 */

import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import { findServed } from '../../mount/served.ts'
import type { Log } from '../../sys/log.ts'
import { unmount } from '../../sys/mount.ts'
import type { Settings } from '../settings.ts'
import { Errand } from './command-process.ts'
import { Failures } from './crash-loop.ts'
import type { Predecessor } from './predecessor.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import type { Signals } from './signals.ts'
import { watch } from './watchdog.ts'

export interface Kept {
  settings: Settings
  /** /dev/fuse of the mount. */
  fuse: number
  /** What each server gets on its command line. */
  args: readonly string[]
  /** The mount is not new: another process has kept it until now. */
  adopted: boolean
  /** Answers at it until our own server does. */
  predecessor: Predecessor | undefined
  signals: Signals
  /** Called once, when the mount answers. */
  announce: () => void
  /** Called at SIGHUP: becomes another version. Returns when that was refused. */
  upgrade: (server: ServerProcess) => Promise<void>
}

/** Why a keeper ends; `unable` with a predecessor leaves everything to that. */
type Outcome = 'stopped' | 'unable'

export class Keeper {
  readonly #host: Host
  readonly #log: Log
  readonly #kept: Kept
  readonly #failures = new Failures()
  readonly #mountId: number | undefined
  #predecessor: Predecessor | undefined
  #server: ServerProcess
  #answers = false
  #healing: Errand | undefined

  constructor(host: Host, log: Log, kept: Kept) {
    this.#host = host
    this.#log = log
    this.#kept = kept
    this.#predecessor = kept.predecessor
    this.#mountId = findServed(host, kept.settings.mountPoint)?.id
    this.#server = this.#start(kept.adopted)
  }

  /** Until it is told to stop. Returns the exit status: 1 when no server can be kept alive. */
  async run(): Promise<number> {
    const { settings, fuse } = this.#kept
    const unwatch = watch(this.#host, settings.mountPoint, fuse, () => {
      this.#log.warning('the server does not answer; it is replaced')
      this.#predecessor?.kill()
      this.#server.kill()
    })
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
      unwatch()
      closeSync(this.#kept.fuse)
    }
  }

  async #untilOver(): Promise<Outcome> {
    const { signals, settings, upgrade } = this.#kept
    for (;;) {
      const happened = await signals.or(this.#server.ended)
      if (happened === 'SIGTERM' || happened === 'SIGINT') {
        this.#log.info(`stops: ${happened}`)
        return 'stopped'
      }
      if (happened === 'SIGHUP') {
        await upgrade(this.#server)
        continue
      }
      this.#log.warning(`the server is replaced: ${happened}`)
      this.#failures.add(performance.now(), happened.endsWith('SIGKILL'))
      if (this.#failures.areTooMany) {
        this.#log.error(
          new Error(`Cannot keep a server alive at ${settings.mountPoint}: ${happened}`),
        )
        return 'unable'
      }
      await sleep(this.#failures.pauseMs)
      this.#server = this.#start(true)
    }
  }

  #start(resume: boolean): ServerProcess {
    const { settings, fuse, args } = this.#kept
    const server = startServer(settings, fuse, resume ? [...args, '--resume'] : args)
    server.ready.then(() => this.#ready())
    server.answered.then(() => this.#failures.clear())
    return server
  }

  async #ready(): Promise<void> {
    const predecessor = this.#predecessor
    this.#predecessor = undefined
    await predecessor?.end()
    if (this.#answers) return
    this.#answers = true
    this.#kept.announce()
    if (!this.#kept.adopted) this.#heal()
  }

  /** Containers still have the files of an earlier mount, whose processes were all killed. */
  #heal(): void {
    const { settings } = this.#kept
    if (new Registry(settings.runDirectory).ids().length === 0) return
    this.#healing = new Errand(settings, this.#log, 'remount', '--all', '--registered')
  }

  /** Without our mount no hook binds anything more; then what is bound goes, and only then who serves it. */
  async #leave(): Promise<void> {
    const { settings } = this.#kept
    const { mountPoint } = settings
    this.#predecessor?.kill()
    await this.#healing?.stop()
    if (this.#mountId !== undefined && findServed(this.#host, mountPoint)?.id === this.#mountId) {
      unmount(mountPoint)
    }
    await new Errand(settings, this.#log, 'umount', '--all', '--registered').done
    await this.#end(this.#server)
  }

  /** It must not take our end for a death and start another keeper. */
  async #end(server: ServerProcess): Promise<void> {
    server.kill()
    await server.ended
  }
}
