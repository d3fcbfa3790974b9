/**
 * Where hooks and the server hand in what workers are to do. This process only passes lines on: it enters nothing, and
 * whoever hangs is left behind.
 */

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Log } from '../../sys/log.ts'
import { peerOf } from '../../sys/unix-socket.ts'
import { Lines } from '../../worker/lines.ts'
import {
  type Answer,
  type JobError,
  type JobName,
  LATE,
  MOST_LINE_BYTES,
  NO_WORKER,
  parseQuestion,
  socketOf,
} from '../../worker/messages.ts'
import { Workers } from '../../worker/workers.ts'
import type { Settings } from '../settings.ts'
import { Patience } from './patience.ts'

/** What may be asked for here, and how long it may take. A hook waits for 6 s. */
const JOBS: readonly JobName[] = ['hook', 'devices']
const HOOK_MS = 10_000
const DEVICES_MS = 2000

/** Workers are kept while containers come and go. */
const IDLE_MS = 120_000

/** So many questions are worked on at a time, beside those that hang: more only wait for the CPU. */
const FOR_HOOKS = { most: 3, mostHung: 16, idleMs: IDLE_MS }

/** Any process can have the server ask for its devices, again and again, so they take no worker from hooks. */
const FOR_DEVICES = { most: 2, mostHung: 4, idleMs: IDLE_MS }

/** So many questions for devices may wait. The server asks again for those that are dropped. */
const MOST_WANTED = 64

/** So many may wait for an answer; whoever comes then does the work by itself. */
const MOST_CONNECTIONS = 1000

export class JobSocket {
  readonly #log: Log
  readonly #settings: Settings
  /** `undefined` while nothing is taken. */
  #workers: Record<'hooks' | 'devices', Workers> | undefined
  /** The devices that are being looked for. */
  readonly #wanted = new Set<string>()
  readonly #patience = new Patience()
  readonly #server: Server
  readonly #path: string

  constructor(settings: Settings, log: Log) {
    this.#log = log
    this.#settings = settings
    this.#path = socketOf(settings.runDirectory)
    this.#server = createServer(socket => this.#take(socket))
    this.#server.maxConnections = MOST_CONNECTIONS
    this.#server.on('error', error => log.error(error))
  }

  /** Listens, in the place of an earlier keeper. Without the socket, hooks do their work by themselves. */
  open(): void {
    this.#workers = {
      hooks: new Workers(this.#settings, FOR_HOOKS),
      devices: new Workers(this.#settings, FOR_DEVICES),
    }
    try {
      rmSync(this.#path, { force: true })
      this.#server.listen(this.#path, () => chmodSync(this.#path, 0o600))
    } catch (error) {
      this.#log.error(error)
    }
  }

  /** Takes no more questions, and lets the workers end. */
  async close(): Promise<void> {
    this.#server.close()
    rmSync(this.#path, { force: true })
    const all = Object.values(this.#workers ?? {})
    this.#workers = undefined
    await Promise.all(all.map(workers => workers.close()))
  }

  #take(socket: Socket): void {
    socket.on('error', () => {})
    if (!isOwn(socket)) {
      socket.destroy()
      return
    }
    const lines = new Lines(MOST_LINE_BYTES)
    socket.on('data', (piece: Buffer) => {
      try {
        for (const line of lines.add(piece)) {
          this.#answer(socket, line).catch(error => this.#refuse(socket, error))
        }
      } catch (error) {
        this.#refuse(socket, error)
      }
    })
  }

  #refuse(socket: Socket, error: unknown): void {
    this.#log.error(error)
    socket.destroy()
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const { job, input } = parseQuestion(line, JOBS)
    if (job === 'devices') void this.#findDevices(input)
    else socket.end(JSON.stringify(await this.#runHook(job, input, () => !socket.destroyed)))
  }

  /** The server does not wait for an answer: it finds what a worker has written. */
  async #findDevices(input: unknown): Promise<void> {
    const key = JSON.stringify(input)
    const isKnown = this.#wanted.has(key) || this.#patience.isExhausted(key)
    if (isKnown || this.#wanted.size >= MOST_WANTED) return
    this.#wanted.add(key)
    try {
      await this.#workers?.devices.ask('devices', input, DEVICES_MS)
      this.#patience.answered(key)
    } catch (error) {
      const { message, code } = error as JobError
      // Where no worker was free, nothing is known of this one.
      if (code === NO_WORKER) return
      this.#log.warning(`Cannot have a worker find devices: ${message}`)
      if (code === LATE) this.#patience.hung(key)
    } finally {
      this.#wanted.delete(key)
    }
  }

  async #runHook(job: JobName, input: unknown, isWanted: () => boolean): Promise<Answer> {
    const workers = this.#workers?.hooks
    if (workers === undefined) return { error: 'the service ends' }
    try {
      return { result: await workers.ask(job, input, HOOK_MS, isWanted) }
    } catch (error) {
      const { message, code } = error as JobError
      this.#log.warning(`Cannot have a worker do ${job}: ${message}`)
      return { error: message, code }
    }
  }
}

/** Only root can reach the socket; this is the second lock on that door. */
function isOwn(socket: Socket): boolean {
  const { fd } = (socket as Socket & { _handle?: { fd?: number } })._handle ?? {}
  if (fd === undefined || fd < 0) return true
  return peerOf(fd).uid === process.geteuid?.()
}
