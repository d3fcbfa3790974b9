/** A process of ours beside the mount, which no reader depends on. It is started again when it ends, later each time. */

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { ENVIRONMENT, ownExecutable } from '../executable.ts'
import { commandLine } from '../settings.ts'

/** Before it is started again, for each time in a row that it has ended; the last one goes on. */
const PAUSES_MS = [500, 1000, 5000, 30_000, 120_000]

/** One that has run for so long was not wrong from the beginning. */
const LONG_MS = 60_000

/** A killed process that is not gone by then is left to itself. */
const GONE_MS = 500

interface Companion {
  /** What it is called in messages. */
  name: string
  /** Its command, with options. */
  command: readonly string[]
  environment?: Readonly<Record<string, string>>
  /** How long it may take to end with its stdin, which this process holds; without, it is killed at once. */
  endMs?: number
}

export class CompanionProcess {
  readonly #companion: Companion
  readonly #settings: Settings
  readonly #log: Log
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isWanted = false
  #sinceMs = 0
  #ends = 0

  constructor(companion: Companion, settings: Settings, log: Log) {
    this.#companion = companion
    this.#settings = settings
    this.#log = log
  }

  get isWanted(): boolean {
    return this.#isWanted
  }

  /** Does nothing while it runs, or is to be started again. */
  begin(): void {
    if (this.#isWanted) return
    this.#isWanted = true
    this.#start()
  }

  /** Ends it. It may be begun again. */
  async close(): Promise<void> {
    this.#isWanted = false
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    child.stdin?.end()
    const { endMs } = this.#companion
    if (endMs !== undefined) await this.#isGoneWithin(endMs)
    child.kill('SIGKILL')
    await this.#isGoneWithin(GONE_MS)
    child.unref()
  }

  async #isGoneWithin(ms: number): Promise<void> {
    const late = new AbortController()
    const timer = sleep(ms, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([this.#ended, timer])
    late.abort()
  }

  #start(): void {
    this.#sinceMs = performance.now()
    const { command, environment } = this.#companion
    try {
      const { path, argv0 } = ownExecutable()
      const child = spawn(path, commandLine(this.#settings, ...command), {
        argv0,
        cwd: '/',
        env: { ...ENVIRONMENT, ...environment },
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
    const pauseMs = PAUSES_MS[Math.min(this.#ends++, PAUSES_MS.length - 1)] ?? 0
    this.#log.warning(`${this.#companion.name} is started again in ${pauseMs / 1000} s: ${how}`)
    this.#timer = setTimeout(() => this.#start(), pauseMs)
  }
}
