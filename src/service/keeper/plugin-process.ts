/**
 * The process of the NRI plugin, where the administrator has switched it on. It is started again when it ends, later each
 * time: containers that are created meanwhile get their files when it is there again.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { ENVIRONMENT, ownExecutable } from '../executable.ts'
import { commandLine, nriRules } from '../settings.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

/** A process that has lived for so long is started again after the first pause. */
const CALM_MS = 60_000

/** A killed process that is not gone by then is left to itself: it answers nothing more, and ends with this one. */
const GONE_MS = 500

/**
 * It answers some requests a minute, which is no reason for a better compiler and its memory. The collector takes the machine for
 * a small one.
 */
const ENGINE = { BUN_JSC_forceRAMSize: '20000000', BUN_JSC_useDFGJIT: '0' }

export class PluginProcess {
  readonly #settings: Settings
  readonly #log: Log
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #isOpen = false
  #pauseMs = FIRST_PAUSE_MS

  constructor(settings: Settings, log: Log) {
    this.#settings = settings
    this.#log = log
  }

  /** Starts it where its rules are there. */
  open(): void {
    this.#isOpen = existsSync(nriRules(this.#settings))
    if (this.#isOpen) this.#start()
  }

  async close(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await Promise.race([gone, sleep(GONE_MS)])
  }

  #start(): void {
    const startedMs = performance.now()
    const { path, argv0 } = ownExecutable()
    let hasEnded = false
    const end = (how: string) => {
      if (hasEnded) return
      hasEnded = true
      this.#child = undefined
      if (this.#isOpen) this.#startLater(how, performance.now() - startedMs)
    }
    try {
      this.#child = spawn(path, commandLine(this.#settings, 'nri'), {
        argv0,
        cwd: '/',
        env: { ...ENVIRONMENT, ...ENGINE },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      this.#child.on('error', error => end(`it cannot be started: ${error.message}`))
      this.#child.on('exit', (code, signal) => end(`it ended with ${signal ?? `status ${code}`}`))
    } catch (error) {
      end(`it cannot be started: ${(error as Error).message}`)
    }
  }

  #startLater(how: string, livedMs: number): void {
    if (livedMs >= CALM_MS) this.#pauseMs = FIRST_PAUSE_MS
    this.#log.warning(`the NRI plugin is started again after ${this.#pauseMs / 1000} s: ${how}`)
    this.#timer = setTimeout(() => this.#start(), this.#pauseMs)
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }
}
