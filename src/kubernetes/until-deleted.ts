/**
 * Waits until a DaemonSet is deleted. Who deletes it with its Role takes the right to ask away at the same moment, before its
 * pods are told to end: only what watched already hears of it. The API server asks for rights when a watch begins, so each
 * one begins before the one before it has ended.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, get } from './api.ts'
import {
  type Existence,
  type Name,
  parseAnswer,
  parseEvent,
  pathOf,
  watchPathOf,
} from './daemonset.ts'

export const ASK_MS = 8000

export interface Span {
  /** A connection that died unnoticed is of no use for longer. */
  watchSeconds: number
  /** The next watch begins so long before the end. */
  overlapSeconds: number
  /** A watch that tells nothing of what is there for so long has not begun, or there is nothing. */
  firstLineMs: number
}

const SPAN: Span = { watchSeconds: 300, overlapSeconds: 20, firstLineMs: ASK_MS }

/** A watch that the API server ends sooner is not begun anew at once. */
const SHORTEST_MS = 1000

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

export async function existenceOf(api: Api, name: Name, timeoutMs = ASK_MS): Promise<Existence> {
  const { status, text } = await get(api, pathOf(name), timeoutMs)
  return parseAnswer(name, status, text)
}

/** Returns as soon as it is deleted. What goes wrong is told by `failed`, and tried again. */
export async function untilDeleted(
  api: Api,
  name: Name,
  failed: (error: unknown) => void,
  span = SPAN,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    try {
      if ((await existenceOf(api, name)).state === 'deleted') return
      if (await isDeletedMeanwhile(api, name, span)) return
      pauseMs = FIRST_PAUSE_MS
    } catch (error) {
      failed(error)
    }
    await sleep(pauseMs)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

/** Watches until it is deleted, or the API server ends what has just begun. Throws when no watch goes on. */
async function isDeletedMeanwhile(api: Api, name: Name, span: Span): Promise<boolean> {
  const { watchSeconds, overlapSeconds } = span
  const all = new AbortController()
  const begin = () => watch(api, name, span, all.signal)
  try {
    for (let ending = begin(); ; ) {
      const begun = performance.now()
      const due = sleep((watchSeconds - overlapSeconds) * 1000, 'due' as const, all)
      const first = await Promise.race([ending, due])
      if (first === 'deleted') return true
      if (first === 'over' && performance.now() - begun < SHORTEST_MS) return false
      ending = first === 'due' ? endingOf(ending, begin()) : begin()
    }
  } finally {
    all.abort()
  }
}

type Ending = 'deleted' | 'over'

/** How the later of two watches ends. Where that one fails it is still heard what the earlier one hears. */
async function endingOf(earlier: Promise<Ending>, later: Promise<Ending>): Promise<Ending> {
  const deleted = earlier.then(ending => {
    if (ending !== 'deleted') throw new Error('it has ended')
    return ending
  })
  try {
    return await Promise.any([deleted, later])
  } catch {
    return later
  }
}

/** Returns how the watch has ended. Throws when it did not begin, or broke off. */
async function watch(
  api: Api,
  name: Name,
  { watchSeconds, firstLineMs }: Span,
  signal: AbortSignal,
): Promise<Ending> {
  const deleted = new Error('deleted')
  const takeLine = (line: string) => {
    if (parseEvent(name, line)?.state === 'deleted') throw deleted
  }
  try {
    const path = watchPathOf(name, watchSeconds)
    const timeoutMs = (watchSeconds + 30) * 1000
    const { status } = await get(api, path, timeoutMs, { takeLine, firstLineMs, signal })
    if (status === 200) return 'over'
    throw new Error(`Cannot watch the DaemonSet ${name.namespace}/${name.name}: ${status}`)
  } catch (error) {
    if (error instanceof Error && error.cause === deleted) return 'deleted'
    throw error
  }
}
