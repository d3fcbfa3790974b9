/** `procveil ps`: prints the containers that run here, their limits, and whose files they see. */

import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Host } from '../host/host.ts'
import type { Settings } from '../service/default-settings.ts'
import { systemClock } from '../sys/clock.ts'
import { errorCode } from '../sys/error.ts'
import { printableJson } from '../sys/printable.ts'
import { findAnswering, listContainers, type Roots } from './containers/list.ts'
import { Pools } from './containers/pools.ts'
import { renderContainers } from './terminal/container-table.ts'
import { isColourful } from './terminal/table.ts'

export interface PsOptions extends Roots {
  json?: boolean
  /** Whether to show the list again and again until it is interrupted. */
  watch?: boolean
}

const WATCH_MS = 2000

/** Directories of users are looked into by so many workers, beside those that hang. */
const SIDE_BY_SIDE = 2
const MOST_HUNG = 16

/** Sequences of console_codes(4). What was on the terminal stays until it is written over, so nothing flickers. */
const HOME = '\x1b[H'
const ERASE_LINE_END = '\x1b[K'
const ERASE_BELOW = '\x1b[J'

/** Returns the exit status: 1 when containers of root may be missing, but not with `watch`. */
export async function ps(settings: Settings, options: PsOptions): Promise<number> {
  const { json, watch } = options
  const host = new Host('/', systemClock)
  const pools = new Pools(settings, { most: SIDE_BY_SIDE, mostHung: MOST_HUNG })
  let isComplete = true
  const render = async () => {
    const served = await findAnswering(host, settings, pools.root)
    const { containers, isWhole } = await listContainers(host, settings, pools, options, served)
    isComplete = isWhole
    if (!json) return renderContainers(containers, isColourful(process.stdout, process.env))
    // With `watch` each list is one line, for a program that reads them one by one.
    return `${printableJson(containers, watch ? 0 : 2)}\n`
  }
  if (watch) await repeat(render, process.stdout.isTTY === true && !json)
  else writeFileSync(1, await render())
  await pools.close()
  return isComplete || watch ? 0 : 1
}

async function repeat(render: () => Promise<string>, redraws: boolean): Promise<void> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort())
  }
  if (redraws) write(`${HOME}${ERASE_BELOW}`)
  while (!interrupted.signal.aborted) {
    const text = await render()
    if (!write(redraws ? over(text) : text)) break
    await sleep(WATCH_MS, undefined, { signal: interrupted.signal }).catch(() => {})
  }
}

const over = (text: string) =>
  `${HOME}${text.replaceAll('\n', `${ERASE_LINE_END}\n`)}${ERASE_BELOW}`

/** Returns false when nobody reads any more. */
function write(text: string): boolean {
  try {
    writeFileSync(1, text)
    return true
  } catch (error) {
    if (errorCode(error) === 'EPIPE') return false
    throw error
  }
}
