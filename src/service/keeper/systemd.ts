/**
 * systemd, as a keeper sees it that belongs to a unit. systemd keeps the descriptors of our mount, so that all of our
 * processes may be killed: the connection lives, and readers wait until systemd has started the next keeper, which goes
 * on with it. Without systemd nothing here does anything.
 */

import { execFile } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import { sendDatagram } from '../../sys/notify-socket.ts'
import type { Settings } from '../default-settings.ts'
import { ENVIRONMENT } from '../executable.ts'
import {
  EXECUTABLE,
  isRestartJob,
  KEPT_COUNT,
  type Kept,
  notifySocket,
  parseStored,
  parseUnit,
  renderName,
  renderNotification,
} from '../notify.ts'
import { UNIT } from '../unit.ts'

/** The socket that systemd listens to, by sd_notify(3) to be found in the environment. */
const SOCKET = 'run/systemd/notify'

/** systemd takes a message at once, unless it is busy with thousands of others, or executes itself again. */
const SAY_MS = 10_000
const AGAIN_MS = 20

/** An answer of systemctl takes some 10 ms. */
const ASK_MS = 3000

/** What systemd is to keep: the minor number of the mount's device, and its descriptors. */
interface Keepable {
  minor: number | undefined
  descriptors: Readonly<Record<Kept, number>>
}

export class Systemd {
  readonly #log: Log
  readonly #socket: string | undefined
  readonly #unit: string | undefined
  readonly #runDirectory: string
  /** Messages are taken in this order. */
  #said: Promise<void> = Promise.resolve()

  constructor(host: Host, { runDirectory }: Settings, log: Log) {
    this.#log = log
    this.#unit = parseUnit(host.tryRead('proc/self/cgroup') ?? '')
    // A keeper that an earlier version has started, or become, has no such variable.
    const usual = this.#unit === UNIT && host.has(SOCKET) ? `/${SOCKET}` : undefined
    this.#socket = notifySocket(process.env) ?? usual
    this.#runDirectory = runDirectory
  }

  /** Whether systemd starts another process in the place of this one. */
  get isThere(): boolean {
    return this.#socket !== undefined
  }

  /** Tells that the service has started. */
  sayReady(): void {
    // systemd/give-up notes there how often it has not.
    for (const name of ['failed-starts', 'given-up']) {
      rmSync(`${this.#runDirectory}/${name}`, { force: true })
    }
    this.#say({ READY: '1' })
  }

  /** Has systemd keep the executable of this process, which can serve. */
  async keepExecutable(): Promise<void> {
    const fd = openSync('/proc/self/exe', 'r')
    this.dropNames([EXECUTABLE])
    this.#say({ FDSTORE: '1', FDNAME: EXECUTABLE }, [fd])
    await this.#said
    closeSync(fd)
  }

  /** Says in the log where systemd has not kept what it was given: of a store that is full or disabled it says nothing. */
  async checkKept(): Promise<void> {
    await this.#said
    if (!this.isThere || this.#unit === undefined) return
    const stored = await this.#countStored(this.#unit)
    if (stored >= KEPT_COUNT) return
    this.#log.warning(
      `systemd keeps ${stored} of ${KEPT_COUNT} descriptors of the mount: all containers lose it when both processes are killed at once; see FileDescriptorStoreMax= of ${this.#unit}`,
    )
  }

  /**
   * Has systemd keep the descriptors of a mount, that of /dev/fuse last: where it is, the others are. systemd drops it by
   * itself when the connection ends, and takes what it has already for the same.
   */
  keep({ minor, descriptors }: Keepable): void {
    if (minor === undefined) return
    for (const [kept, fd] of Object.entries(descriptors)) {
      this.#say({ FDSTORE: '1', FDNAME: renderName(kept as Kept, minor) }, [fd])
    }
  }

  /** To be called before `keep` where the memory is not the one that systemd may have. */
  dropRequests(minor: number | undefined): void {
    if (minor !== undefined) this.dropNames([renderName('requests', minor)])
  }

  /** Has systemd keep no descriptors of a mount any more. */
  drop({ minor, descriptors }: Keepable): void {
    if (minor === undefined) return
    this.dropNames(Object.keys(descriptors).map(kept => renderName(kept as Kept, minor)))
  }

  dropNames(names: readonly string[]): void {
    for (const name of names) this.#say({ FDSTOREREMOVE: '1', FDNAME: name })
  }

  /** Whether this process is told to end only for another one, to which systemd gives what it keeps. */
  async isRestarting(): Promise<boolean> {
    const unit = this.#unit
    if (!this.isThere || unit === undefined) return false
    const jobs = await systemctl('list-jobs', '--no-legend', unit)
    return isRestartJob(jobs ?? '', unit) && (await this.#countStored(unit)) >= KEPT_COUNT
  }

  async #countStored(unit: string): Promise<number> {
    return parseStored((await systemctl('show', '--property=NFileDescriptorStore', unit)) ?? '')
  }

  #say(assignments: Readonly<Record<string, string>>, fds: readonly number[] = []): void {
    const socket = this.#socket
    if (socket === undefined) return
    const message = renderNotification(assignments)
    const say = async () => {
      const deadline = performance.now() + SAY_MS
      while (!sendDatagram(socket, message, fds)) {
        if (performance.now() >= deadline) throw new Error(`it took nothing for ${SAY_MS / 1000} s`)
        await sleep(AGAIN_MS)
      }
    }
    this.#said = this.#said.then(say).catch(cause => {
      this.#log.error(new Error(`Cannot tell systemd ${message.trim()}`, { cause }))
    })
  }
}

/** Resolves with what systemctl prints; `undefined` when it fails, or takes too long. */
function systemctl(...args: string[]): Promise<string | undefined> {
  const options = { env: ENVIRONMENT, timeout: ASK_MS, killSignal: 'SIGKILL' } as const
  return new Promise(resolve => {
    try {
      execFile('systemctl', args, options, (error, stdout) => resolve(error ? undefined : stdout))
    } catch {
      resolve(undefined)
    }
  })
}
