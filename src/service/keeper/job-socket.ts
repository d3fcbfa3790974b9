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
  parseQuestion,
  socketOf,
} from '../../worker/messages.ts'
import { Workers } from '../../worker/workers.ts'
import type { Settings } from '../settings.ts'
import { Patience } from './patience.ts'

/** What may be asked for here, and how long it may take. A hook waits for 6 s. */
const TIMEOUTS_MS: Partial<Record<JobName, number>> = { hook: 10_000, devices: 2000 }
const JOBS = Object.keys(TIMEOUTS_MS) as JobName[]

/** So many questions are worked on at a time, beside those that hang: more only wait for the CPU. */
const SIDE_BY_SIDE = 3

/** Workers are kept while containers come and go. */
const IDLE_MS = 120_000

/** Where so many hang, the others are for hooks. */
const MOST_HUNG_FOR_DEVICES = 8

/** So many may wait for an answer; whoever comes then does the work by itself. */
const MOST_CONNECTIONS = 1000

export class JobSocket {
  readonly #log: Log
  readonly #settings: Settings
  #workers: Workers | undefined
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
    this.#workers = new Workers(this.#settings, { most: SIDE_BY_SIDE, idleMs: IDLE_MS })
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
    const workers = this.#workers
    this.#workers = undefined
    await workers?.close()
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
    else socket.end(JSON.stringify(await this.#work(job, input, () => !socket.destroyed)))
  }

  /** The server does not wait for an answer: it finds what a worker has written. */
  async #findDevices(input: unknown): Promise<void> {
    const key = JSON.stringify(input)
    if (this.#patience.isExhausted(key) || (this.#workers?.hung ?? 0) > MOST_HUNG_FOR_DEVICES)
      return
    const answer = await this.#work('devices', input, () => true)
    if ('error' in answer && answer.code === LATE) this.#patience.hung(key)
    else this.#patience.answered(key)
  }

  async #work(job: JobName, input: unknown, isWanted: () => boolean): Promise<Answer> {
    const workers = this.#workers
    if (workers === undefined) return { error: 'the service ends' }
    try {
      return { result: await workers.ask(job, input, TIMEOUTS_MS[job] ?? 0, isWanted) }
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
