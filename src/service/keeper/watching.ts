/**
 * Runs `procveil watch` where the configuration wants it, in a process of its own: it may have to wait for a runtime's
 * directories, and nobody waits for it. It is started again when it ends, and it ends with this process, which holds its
 * stdin.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../sys/log.ts'
import { readServiceOptions } from '../config.ts'
import type { Settings } from '../default-settings.ts'
import { ENVIRONMENT, ownExecutable } from '../executable.ts'
import { commandLine } from '../settings.ts'

/** Before it is started again, for each time in a row that it has ended; the last one goes on. */
const PAUSES_MS = [100, 1000, 5000, 30_000, 120_000]

/** One that has run for so long was not wrong from the beginning. */
const LONG_MS = 60_000

/** It ends in some milliseconds, unless a worker of its has to be waited for. */
const END_MS = 2000

export class Watching {
  readonly #settings: Settings
  readonly #log: Log
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isWanted = false
  #sinceMs = 0
  #ends = 0

  constructor(settings: Settings, log: Log) {
    this.#settings = settings
    this.#log = log
  }

  /** Starts it if the configuration wants it. Does nothing while it runs. */
  begin(): void {
    if (this.#isWanted) return
    try {
      this.#isWanted = readServiceOptions(this.#settings).watch === 'on'
    } catch (cause) {
      this.#log.error(new Error('Cannot tell whether to watch, and does not', { cause }))
    }
    if (this.#isWanted) this.#start()
  }

  /** Ends it. One that does not end is killed, and not waited for. */
  async close(): Promise<void> {
    this.#isWanted = false
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    child.stdin?.end()
    const late = new AbortController()
    await Promise.race([
      this.#ended,
      sleep(END_MS, undefined, { signal: late.signal }).catch(() => {}),
    ])
    late.abort()
    child.kill('SIGKILL')
    child.unref()
  }

  #start(): void {
    this.#sinceMs = performance.now()
    try {
      const { path, argv0 } = ownExecutable()
      const child = spawn(path, commandLine(this.#settings, 'watch', '--of-service'), {
        argv0,
        cwd: '/',
        env: ENVIRONMENT,
        stdio: ['pipe', 'ignore', 'inherit'],
      })
      this.#child = child
      child.stdin?.on('error', () => {})
      this.#ended = new Promise(resolve => {
        child.on('error', error => resolve(this.#over(child, error.message)))
        child.on('exit', (code, signal) =>
          resolve(this.#over(child, `it ended with ${signal ?? `status ${code}`}`)),
        )
      })
    } catch (error) {
      this.#startLater((error as Error).message)
    }
  }

  #over(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.#isWanted) this.#startLater(how)
  }

  #startLater(how: string): void {
    if (performance.now() - this.#sinceMs >= LONG_MS) this.#ends = 0
    const pauseMs = PAUSES_MS[Math.min(this.#ends++, PAUSES_MS.length - 1)]
    this.#log.warning(`procveil watch is started again in ${Number(pauseMs) / 1000} s: ${how}`)
    this.#timer = setTimeout(() => this.#start(), pauseMs)
  }
}
