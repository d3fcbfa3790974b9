/** The server that answers at this moment, as the watchdog sees it. */

import type { Host } from '../../host/host.ts'
import { parseCpuMs, parseTaskState } from '../../host/proc-pid.ts'
import type { Log } from '../../sys/log.ts'
import type { Answered } from '../answered.ts'
import { Replacements } from './replacements.ts'
import type { ServerProcess } from './server-process.ts'
import type { Servers } from './servers.ts'
import type { Look } from './silence.ts'
import type { WatchedServer } from './watchdog.ts'

interface AnsweringServers extends Pick<Servers, 'killHung'> {
  readonly current: Pick<ServerProcess, 'pid' | 'hasAnswered' | 'startedMs'>
  readonly predecessor: { readonly pid: number } | undefined
}

export class Answering implements WatchedServer {
  readonly #host: Host
  readonly #log: Log
  readonly #servers: AnsweringServers
  readonly #answered: Pick<Answered, 'total'>
  readonly #replacements = new Replacements()
  /** The server that hung last. */
  #hung: AnsweringServers['current'] | undefined
  /** Called at each look while the mount is not whole. */
  readonly lost: () => void

  constructor(
    host: Host,
    log: Log,
    servers: AnsweringServers,
    answered: Pick<Answered, 'total'>,
    lost: () => void,
  ) {
    this.#host = host
    this.#log = log
    this.#servers = servers
    this.#answered = answered
    this.lost = lost
  }

  get answered(): number {
    return this.#answered.total
  }

  look(): Look {
    const pid = (this.#servers.predecessor ?? this.#servers.current).pid
    const stat = this.#host.tryRead(`proc/${pid}/stat`)
    return {
      pid,
      answered: this.answered,
      cpuMs: stat === undefined ? 0 : parseCpuMs(stat),
      wantsCpu: () => isRunnable(stat) || this.#hasRunnableThread(pid),
    }
  }

  /** The first thread may wait for another one that collects garbage. */
  #hasRunnableThread(pid: number | undefined): boolean {
    const threads = `proc/${pid}/task`
    return this.#host
      .list(threads)
      .some(thread => isRunnable(this.#host.tryRead(`${threads}/${thread}/stat`)))
  }

  patienceMs(): number {
    const { hasAnswered, startedMs } = this.#servers.current
    return this.#replacements.patienceMs(performance.now(), hasAnswered, startedMs)
  }

  /**
   * A server that somebody has stopped or frozen says nothing of the next one. One that was killed and is not gone yet is
   * killed again.
   */
  hung(waitedMs: number): void {
    const { current } = this.#servers
    const isHung = this.#servers.killHung(waitedMs)
    if (current === this.#hung) return
    this.#log.warning('the server does not answer; it is replaced')
    if (!isHung) return
    this.#hung = current
    this.#replacements.add(performance.now(), current.hasAnswered)
  }
}

const isRunnable = (stat: string | undefined) => stat !== undefined && parseTaskState(stat) === 'R'
