/** The memory of the service while an attack goes on. */

import { readFileSync } from 'node:fs'
import type { Site } from '../kit/site.ts'

const EVERY_MS = 250

export class MemoryWatch {
  readonly #timer: NodeJS.Timeout
  #mostMib = 0

  constructor(here: Site) {
    this.#timer = setInterval(() => {
      const kib = here.servers().map(anonymousKib)
      this.#mostMib = Math.max(this.#mostMib, kib.reduce((sum, each) => sum + each, 0) / 1024)
    }, EVERY_MS)
  }

  /** Of the keeper and the server together, at the worst moment. */
  end(): number {
    clearInterval(this.#timer)
    return Math.round(this.#mostMib)
  }
}

function anonymousKib(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
