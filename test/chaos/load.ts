/** Containers whose files are read without pause, by readers that check what they read. */

import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import type { Site } from '../kit/site.ts'
import { size } from '../kit/size.ts'

const READER = fileURLToPath(new URL('reader.mjs', import.meta.url))
const READERS_PER_CONTAINER = 4

/** What a reader saw. */
export interface Seen {
  reads: number
  /** How many failed, and the first few of them. */
  failures: number
  failed: string[]
  wrong: string[]
  longestMs: number
}

/** For tests that may last as long as it takes. */
export const UNHURRIED = { timeout: size({ short: 180_000, long: 180_000, full: 1_800_000 }) }

export class Load {
  readonly #boxes: readonly Box[]
  readonly #readers: Promise<Seen>[]

  private constructor(boxes: readonly Box[]) {
    this.#boxes = boxes
    // Half of them read by small pieces and half by large ones.
    this.#readers = boxes.flatMap(box =>
      Array.from({ length: READERS_PER_CONTAINER }, (_, i) => read(box, i % 2 ? 65_536 : 512)),
    )
  }

  static readonly readers = 2 * READERS_PER_CONTAINER

  /** In two containers of its own. */
  static async start(t: Test, site: Site): Promise<Load> {
    const boxes: Box[] = []
    for (const [id, memoryBytes] of [
      ['first', 2 ** 29],
      ['second', 2 ** 28],
    ] as const) {
      const box = await started(t, site, id, { memoryBytes, hostPrograms: true })
      copyFileSync(READER, join(box.bundle, 'rootfs/tmp/reader.mjs'))
      boxes.push(box)
    }
    return new Load(boxes)
  }

  async stop(): Promise<Seen> {
    for (const box of this.#boxes) writeFileSync(join(box.bundle, 'rootfs/tmp/stop'), '')
    const seen = await Promise.all(this.#readers)
    return {
      reads: seen.reduce((sum, { reads }) => sum + reads, 0),
      failures: seen.reduce((sum, { failures }) => sum + failures, 0),
      failed: seen.flatMap(({ failed }) => failed),
      wrong: seen.flatMap(({ wrong }) => wrong),
      longestMs: Math.round(Math.max(...seen.map(({ longestMs }) => longestMs))),
    }
  }
}

async function read(box: Box, bufferSize: number): Promise<Seen> {
  const [program = '', ...args] = box.inside
  const command = [...args, 'node', '/tmp/reader.mjs', String(bufferSize)]
  const { stdout } = await execa(program, command, { stdin: 'ignore' })
  return JSON.parse(stdout) as Seen
}
