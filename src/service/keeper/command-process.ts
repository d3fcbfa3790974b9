/**
 * Runs a command of ours in a process of its own, for a keeper: the command enters mount namespaces, and may have to
 * wait.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Log } from '../../sys/log.ts'
import { ownExecutable } from '../executable.ts'
import { commandLine, type Settings } from '../settings.ts'

/** A command may take this long: it may work on hundreds of containers, on a machine under load. */
const TIMEOUT_MS = 60_000

export class CommandProcess {
  readonly #child: ChildProcess
  /** Resolves when the process has ended, however it ended. */
  readonly done: Promise<void>

  constructor(settings: Settings, log: Log, ...command: string[]) {
    const { path, argv0 } = ownExecutable()
    this.#child = spawn(path, commandLine(settings, ...command), {
      argv0,
      cwd: '/',
      env: {},
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    this.done = new Promise(resolve => {
      this.#child.on('error', error => {
        log.error(error)
        resolve()
      })
      this.#child.on('exit', () => resolve())
    })
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.done
  }
}
