/**
 * Where hooks and the server hand in what workers are to do. This process only passes lines on: it enters nothing, and
 * whoever hangs is left behind.
 */

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { orUndefined } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import { peerOf } from '../../sys/unix-socket.ts'
import { Lines } from '../../worker/lines.ts'
import {
  type Answer,
  type JobError,
  type JobName,
  MOST_LINE_BYTES,
  parseQuestion,
  type Question,
  socketOf,
} from '../../worker/messages.ts'
import { ownNamespaces } from '../../worker/own-namespaces.ts'
import { Workers } from '../../worker/workers.ts'
import type { Settings } from '../default-settings.ts'
import { DeviceJobs } from './device-jobs.ts'

/** What may be asked for here. */
const JOBS: readonly JobName[] = ['hook', 'devices']

/** A hook waits for 6 s. */
const HOOK_MS = 10_000

/** Workers are kept while containers come and go. */
const IDLE_MS = 120_000

/** So many questions are worked on at a time, beside those that hang: more only wait for the CPU. */
const FOR_HOOKS = { most: 3, mostHung: 16, idleMs: IDLE_MS }
const FOR_DEVICES = { most: 2, mostHung: 4, idleMs: IDLE_MS }

/**
 * Any process in a pid namespace of its own can have the server ask for its devices, again and again. So they take no
 * worker from containers that are registered.
 */
const FOR_DEVICES_OF_OTHERS = { most: 1, mostHung: 2, idleMs: IDLE_MS }

/** Where there is no room for the socket it is made again after so long. */
const LISTEN_AGAIN_MS = 5000

/** So many may wait for an answer; whoever comes then does the work by itself. */
const MOST_CONNECTIONS = 1000

export class JobSocket {
  readonly #log: Log
  readonly #settings: Settings
  /** `undefined` while nothing is taken. */
  #jobs: { hooks: Workers; devices: DeviceJobs; devicesOfOthers: DeviceJobs } | undefined
  readonly #server: Server
  readonly #path: string
  readonly #namespaces = orUndefined(ownNamespaces)
  #isRefused = false
  #timer: NodeJS.Timeout | undefined

  constructor(settings: Settings, log: Log) {
    this.#log = log
    this.#settings = settings
    this.#path = socketOf(settings.runDirectory)
    this.#server = createServer(socket => this.#take(socket))
    this.#server.maxConnections = MOST_CONNECTIONS
    this.#server.on('error', error => this.#listenLater(error))
  }

  /** Listens, in the place of an earlier keeper. Without the socket, hooks do their work by themselves. */
  open(): void {
    this.#jobs = {
      hooks: new Workers(this.#settings, FOR_HOOKS),
      devices: new DeviceJobs(this.#settings, this.#log, FOR_DEVICES),
      devicesOfOthers: new DeviceJobs(this.#settings, this.#log, FOR_DEVICES_OF_OTHERS),
    }
    this.#listen()
  }

  #listen(): void {
    try {
      rmSync(this.#path, { force: true })
      this.#server.listen(this.#path, () => {
        chmodSync(this.#path, 0o600)
        this.#isRefused = false
      })
    } catch (error) {
      this.#listenLater(error)
    }
  }

  #listenLater(cause: unknown): void {
    if (!this.#isRefused) {
      this.#log.error(new Error('Cannot listen to hooks, which do their work alone', { cause }))
    }
    this.#isRefused = true
    this.#timer = setTimeout(() => {
      if (this.#jobs !== undefined && !this.#server.listening) this.#listen()
    }, LISTEN_AGAIN_MS).unref()
  }

  /** Takes no more questions, and lets the workers end. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#server.close()
    orUndefined(() => rmSync(this.#path, { force: true }))
    const all = Object.values(this.#jobs ?? {})
    this.#jobs = undefined
    await Promise.all(all.map(jobs => jobs.close()))
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
    const question = parseQuestion(line, JOBS)
    if (question.job === 'devices') this.#findDevices(question.input)
    else socket.end(JSON.stringify(await this.#runHook(question, () => !socket.destroyed)))
  }

  #findDevices(input: unknown): void {
    const isRegistered = (input as { rootMount?: number } | null)?.rootMount !== undefined
    void (isRegistered ? this.#jobs?.devices : this.#jobs?.devicesOfOthers)?.find(input)
  }

  async #runHook(question: Question, isConnected: () => boolean): Promise<Answer> {
    const { job, input, untilMs, namespaces = [] } = question
    const workers = this.#jobs?.hooks
    if (workers === undefined) return { error: 'the service ends' }
    // What it says of paths and pids is not true here.
    if (String(namespaces) !== String(this.#namespaces)) return { error: 'in other namespaces' }
    // The connection of a hook that has given up while this process was stopped may look open.
    const isWanted = () => isConnected() && (untilMs === undefined || Date.now() < untilMs)
    try {
      return { result: await workers.ask(job, input, HOOK_MS, { isWanted, untilMs }) }
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
