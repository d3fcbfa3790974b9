/** A container that reads all its files without pause, and knows how long each read took. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { BOUND } from '../kit/files.ts'
import type { Site } from '../kit/site.ts'
import { equip, INSIDE } from './attackers.ts'

const MEMORY_MIB = 64

/** What programs/reader.c prints. */
export interface Seen {
  reads: number
  failures: number
  firstFailure: string
  /** How many reads of meminfo were not the container's own. */
  strange: number
  /** How long reads failed: each time from the last good one to the next. */
  failingMs: number
  tookMs: number
  p50Ms: number
  p99Ms: number
  longestMs: number
}

export class Victim {
  readonly box: Box
  /** MemTotal, as the container has to see it. */
  readonly totalKib = String(MEMORY_MIB * 1024)

  private constructor(box: Box) {
    this.box = box
  }

  static async start(t: Test, here: Site): Promise<Victim> {
    const box = await started(t, here, 'victim', { memoryBytes: MEMORY_MIB * 2 ** 20 })
    await equip(here, box)
    return new Victim(box)
  }

  /** Begins to read. What the result gives ends it, and says what was seen. */
  read(): () => Promise<Seen> {
    const stop = join(this.box.bundle, 'rootfs/tmp/stop')
    rmSync(stop, { force: true })
    const [command = '', ...args] = this.box.inside
    // The last of all: the files themselves cost nothing to read but time.
    const reading = execa(command, [
      ...args,
      INSIDE,
      'reader',
      '/tmp/stop',
      this.totalKib,
      ...BOUND,
    ])
    reading.catch(() => {})
    return async () => {
      writeFileSync(stop, '')
      return JSON.parse((await reading).stdout) as Seen
    }
  }
}
