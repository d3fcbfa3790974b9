/**
 * Runs a command of ours in a process of its own, for a keeper: the command enters mount namespaces, and may have to
 * wait.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { untilGone } from '../doomed.ts'
import { ownExecutable } from '../executable.ts'
import { commandLine } from '../settings.ts'

/** A command may take this long: it may work on hundreds of containers, on a machine under load. */
const TIMEOUT_MS = 60_000

export class CommandProcess {
  readonly #host: Host
  readonly #log: Log
  readonly #name: string
  readonly #child: ChildProcess
  readonly #timer: NodeJS.Timeout
  #isGone = false
  #finish: (status: number | undefined) => void = () => {}
  /** Resolves with the exit status; `undefined` when the process was killed, or cannot be started. */
  readonly done: Promise<number | undefined>

  constructor(host: Host, settings: Settings, log: Log, ...command: string[]) {
    this.#host = host
    this.#log = log
    this.#name = command.join(' ')
    this.done = new Promise(resolve => {
      this.#finish = resolve
    })
    const { path, argv0 } = ownExecutable()
    this.#child = spawn(path, commandLine(settings, ...command), {
      argv0,
      cwd: '/',
      env: {},
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#child.on('error', error => {
      log.error(error)
      this.#end(undefined)
    })
    this.#child.on('exit', status => this.#end(status ?? undefined))
    this.#timer = setTimeout(() => {
      log.warning(`procveil ${this.#name} is killed: it was not done after ${TIMEOUT_MS / 1000} s`)
      this.kill()
    }, TIMEOUT_MS)
  }

  async stop(): Promise<void> {
    this.kill()
    await this.done
  }

  async kill(): Promise<void> {
    const { pid } = this.#child
    clearTimeout(this.#timer)
    this.#child.kill('SIGKILL')
    if (this.#isGone || pid === undefined) return
    if (await untilGone(this.#host, pid, () => this.#isGone)) return
    this.#log.warning(`procveil ${this.#name}, process ${pid}, was killed and is not gone`)
    this.#finish(undefined)
  }

  #end(status: number | undefined): void {
    this.#isGone = true
    clearTimeout(this.#timer)
    this.#finish(status)
  }
}
