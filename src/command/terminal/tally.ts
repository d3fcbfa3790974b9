/** Tells what came of a command that works on many containers, by a progress bar and a summary, or in JSON. */

import { describe, type Log } from '../../sys/log.ts'
import { printable, printableJson } from '../../sys/printable.ts'

const BAR_WIDTH = 30

export class Tally {
  readonly #did: string
  readonly #log: Log
  readonly #json: boolean
  readonly #total: number
  readonly #done: string[] = []
  readonly #skipped: { id: string; reason: string }[] = []
  readonly #failed: { id: string; reason: string }[] = []

  /** `did` is the word for success, such as `attached`. */
  constructor(did: string, total: number, log: Log, json: boolean) {
    this.#did = did
    this.#total = total
    this.#log = log
    this.#json = json
  }

  /** Runs `action` for one container. `action` returns why the container is skipped, or nothing. */
  async try(id: string, action: () => Promise<string | undefined>): Promise<void> {
    try {
      const reason = await action()
      if (reason === undefined) this.#done.push(id)
      else this.#skipped.push({ id, reason })
    } catch (error) {
      this.#clearBar()
      this.#log.error(error)
      this.#failed.push({ id, reason: describe(error) })
    }
    this.#drawBar()
  }

  /** Prints the summary. Returns the exit status: 1 when a container failed. */
  end(): number {
    this.#clearBar()
    this.#done.sort()
    for (const list of [this.#skipped, this.#failed]) list.sort((a, b) => (a.id < b.id ? -1 : 1))
    const summary = this.#summary()
    this.#log.info(summary)
    const result = { [this.#did]: this.#done, skipped: this.#skipped, failed: this.#failed }
    process.stdout.write(`${this.#json ? printableJson(result) : printable(summary)}\n`)
    return this.#failed.length > 0 ? 1 : 0
  }

  #summary(): string {
    const parts = [`${this.#done.length} ${this.#did}`]
    const reasons = new Set(this.#skipped.map(({ reason }) => reason))
    for (const each of reasons) {
      const count = this.#skipped.filter(({ reason }) => reason === each).length
      parts.push(`${count} skipped: ${each}`)
    }
    if (this.#failed.length > 0) {
      parts.push(`${this.#failed.length} failed: ${this.#failed.map(({ id }) => id).join(' ')}`)
    }
    return parts.join(', ')
  }

  get #hasBar(): boolean {
    return process.stderr.isTTY === true && !this.#json && this.#total > 1
  }

  #drawBar(): void {
    if (!this.#hasBar) return
    const count = this.#done.length + this.#skipped.length + this.#failed.length
    const filled = Math.round((BAR_WIDTH * count) / this.#total)
    const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.')
    process.stderr.write(`\r[${bar}] ${count}/${this.#total}`)
  }

  #clearBar(): void {
    if (this.#hasBar) process.stderr.write('\r\x1b[K')
  }
}
