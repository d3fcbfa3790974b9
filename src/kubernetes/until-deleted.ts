/**
 * Waits until a DaemonSet is deleted. Who deletes it with its Role takes the right to ask away at the same moment, before its
 * pods are told to end: only what watched already hears of it. The API server asks for rights when a watch begins.
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

/** A watch begins anew after so long: a connection that died unnoticed is of no use for longer. */
const WATCH_SECONDS = 300

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
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    try {
      const existence = await existenceOf(api, name)
      if (existence.state === 'deleted' || (await isDeletedMeanwhile(api, name, existence))) return
      pauseMs = FIRST_PAUSE_MS
    } catch (error) {
      failed(error)
    }
    await sleep(pauseMs)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

/** Watches until it is deleted, or the API server ends the watch. */
async function isDeletedMeanwhile(
  api: Api,
  name: Name,
  { resourceVersion }: Existence & { state: 'there' },
): Promise<boolean> {
  const path = watchPathOf(name, resourceVersion, WATCH_SECONDS)
  const deleted = new Error('deleted')
  try {
    const { status } = await get(api, path, (WATCH_SECONDS + 30) * 1000, line => {
      if (parseEvent(name, line)?.state === 'deleted') throw deleted
    })
    if (status === 200) return false
    throw new Error(`Cannot watch the DaemonSet ${name.namespace}/${name.name}: ${status}`)
  } catch (error) {
    if (error instanceof Error && error.cause === deleted) return true
    throw error
  }
}
