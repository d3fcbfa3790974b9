/** Containers whose files are read without pause, by readers that check what they read. */

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Box, started } from '../e2e/box.ts'
import type { Site } from '../e2e/site.ts'

const READER = fileURLToPath(new URL('reader.mjs', import.meta.url))
const READERS_PER_CONTAINER = 4

/** What a reader saw. */
export interface Seen {
  reads: number
  failed: string[]
  wrong: string[]
  longestMs: number
}

export async function startContainers(t: Test, site: Site): Promise<Box[]> {
  const boxes: Box[] = []
  for (const [id, memoryBytes] of [
    ['first', 2 ** 29],
    ['second', 2 ** 28],
  ] as const) {
    const box = await started(t, site, id, { memoryBytes, hostPrograms: true })
    copyFileSync(READER, join(box.bundle, 'rootfs/tmp/reader.mjs'))
    boxes.push(box)
  }
  return boxes
}

/** Reads for `seconds`, half of the readers by pages and half by large buffers. */
export async function readAll(boxes: readonly Box[], seconds: number): Promise<Seen> {
  const readers = boxes.flatMap(box =>
    Array.from({ length: READERS_PER_CONTAINER }, async (_, i) => {
      const size = i % 2 === 0 ? 512 : 65_536
      const { stdout } = await box.runc(
        'exec',
        box.id,
        'node',
        '/tmp/reader.mjs',
        String(seconds),
        String(size),
      )
      return JSON.parse(stdout) as Seen
    }),
  )
  const seen = await Promise.all(readers)
  return {
    reads: seen.reduce((sum, { reads }) => sum + reads, 0),
    failed: seen.flatMap(({ failed }) => failed),
    wrong: seen.flatMap(({ wrong }) => wrong),
    longestMs: Math.max(...seen.map(({ longestMs }) => longestMs)),
  }
}
