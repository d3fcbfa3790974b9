/** Waiting that ends: what hangs must not take the test along. */

import { execa } from 'execa'
import type { Box } from '../kit/box.ts'
import { parseMemTotal } from '../kit/mem-total.ts'

/** What an action came to, or that it did not end in time. It goes on then, and nobody waits for it. */
export interface Timed<T> {
  tookMs: number
  /** `undefined` when it did not end in time, or failed. */
  value: T | undefined
  error: unknown
}

export async function timed<T>(limitMs: number, action: () => Promise<T>): Promise<Timed<T>> {
  const startMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Cannot wait longer than ${limitMs} ms`)), limitMs)
  })
  const end = (value: T | undefined, error?: unknown): Timed<T> => {
    return { tookMs: Math.round(performance.now() - startMs), value, error }
  }
  try {
    return end(await Promise.race([action(), late]))
  } catch (error) {
    return end(undefined, error)
  } finally {
    clearTimeout(timer)
  }
}

const READ_MS = 10_000

/**
 * MemTotal as the container sees it, or why it cannot be read. Another process reads: this one would be blocked with all
 * its timers.
 */
export async function seenTotal(box: Box): Promise<string> {
  const file = `/proc/${await box.pid()}/root/proc/meminfo`
  const read = () => execa('cat', [file], { timeout: READ_MS, killSignal: 'SIGKILL' })
  const { value, error } = await timed(READ_MS, read)
  return value === undefined ? String(error) : parseMemTotal(value.stdout)
}
