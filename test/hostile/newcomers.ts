/** Containers that start while an attack goes on: each gets its files, and none is late. */

import { rmSync } from 'node:fs'
import type { Test } from 'tap'
import { Box } from '../kit/box.ts'
import type { Site } from '../kit/site.ts'
import { seenTotal, timed } from './bounded.ts'

/** So many start at a time, since the machine has other things to do. */
const AT_A_TIME = 2
const LONGEST_WAIT_MS = 25_000

export class Newcomers {
  readonly #t: Test
  readonly #here: Site
  #count = 0
  /** Those that stay until the end. */
  readonly staying: Box[] = []

  constructor(t: Test, here: Site) {
    this.#t = t
    this.#here = here
  }

  /** Starts so many, of which two stay. Returns how long the slowest took, and what went wrong. */
  async start(count: number): Promise<{ slowestMs: number; wrong: string[] }> {
    const wrong: string[] = []
    let slowestMs = 0
    let left = count
    const work = async () => {
      while (left-- > 0) {
        const { tookMs, error } = await this.#startOne(left < 2)
        slowestMs = Math.max(slowestMs, tookMs)
        if (error !== undefined) wrong.push(String(error))
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
    return { slowestMs, wrong }
  }

  async #startOne(stays: boolean): Promise<{ tookMs: number; error: unknown }> {
    const mib = 65 + this.#count++
    const box = new Box(this.#here, `newcomer-${mib}`, { memoryBytes: mib * 2 ** 20 })
    this.#t.teardown(() => box.remove())
    const { tookMs, error } = await timed(LONGEST_WAIT_MS, () => box.start())
    if (error !== undefined) return { tookMs, error }
    const seen = await timed(LONGEST_WAIT_MS, () => seenTotal(box))
    const own = String(mib * 1024)
    if (stays) this.staying.push(box)
    else await timed(LONGEST_WAIT_MS, () => remove(box))
    return seen.value === own
      ? { tookMs, error: undefined }
      : { tookMs, error: new Error(`${box.id} sees ${seen.value ?? seen.error}, not ${own}`) }
  }

  /** MemTotal that each of those that stay has to see. */
  ownTotals(): string[] {
    return this.staying.map(({ id }) => String(Number(id.split('-')[1]) * 1024))
  }
}

/** Without blocking this process, as a reader whose server hangs would block whoever waits for it. */
async function remove(box: Box): Promise<void> {
  await box.runc('delete', '--force', box.id)
  rmSync(box.bundle, { recursive: true, force: true })
}
