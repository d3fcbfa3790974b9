/** Leaves no room on a file system, also not what its users give back: bytes and inodes are taken again and again. */

import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { execa, execaSync } from 'execa'
import type { Test } from 'tap'
import type { Site } from './site.ts'

const EVERY_MS = 5
const LARGE = Buffer.alloc(2 ** 16)
const SMALL = Buffer.alloc(2 ** 10)

/** Gives the service a run directory with little room. */
export async function smallRunDirectory(t: Test, { runDirectory }: Site): Promise<void> {
  mkdirSync(runDirectory)
  const options = 'size=2m,nr_inodes=120,mode=700'
  await execa('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', runDirectory])
  t.teardown(() => execaSync('umount', ['--lazy', runDirectory], { reject: false }))
}

export class Filler {
  readonly #directory: string
  readonly #timer: NodeJS.Timeout
  #files = 0

  constructor(t: Test, directory: string) {
    this.#directory = directory
    this.#fill()
    this.#timer = setInterval(() => this.#fill(), EVERY_MS)
    t.teardown(() => clearInterval(this.#timer))
  }

  /** Gives all room back. */
  stop(): void {
    clearInterval(this.#timer)
    for (let i = 0; i < this.#files; i++) rmSync(this.#name(i), { force: true })
  }

  #fill(): void {
    for (const bytes of [LARGE, SMALL]) {
      while (succeeds(() => appendFileSync(this.#name(0), bytes)));
    }
    this.#files = Math.max(1, this.#files)
    while (succeeds(() => writeFileSync(this.#name(this.#files), '', { flag: 'wx' }))) this.#files++
  }

  #name(number: number): string {
    return `${this.#directory}/ballast-${number}`
  }
}

function succeeds(action: () => void): boolean {
  try {
    action()
    return true
  } catch {
    return false
  }
}
