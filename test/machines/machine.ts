/** A machine made of a few files, for tests: `machine(t, { 'proc/meminfo': '...' })`. */

import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { type Clock, Host } from '../../src/host/host.ts'

/** A clock that a test moves. */
export class TestClock implements Clock {
  usec: number

  constructor(seconds = 10_000) {
    this.usec = seconds * 1e6
  }

  advance(seconds: number): void {
    this.usec += seconds * 1e6
  }

  monotonicUsec(): number {
    return this.usec
  }

  boottimeUsec(): number {
    return this.usec
  }
}

export class Machine extends Host {
  override readonly clock: TestClock
  readonly directory: string

  constructor(directory: string, clock: TestClock) {
    super(directory, clock)
    this.clock = clock
    this.directory = directory
  }

  /** Writes files by path without a leading slash; `undefined` removes one. */
  set(files: Readonly<Record<string, string | undefined>>): void {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.directory, path)
      if (text === undefined) {
        rmSync(file, { recursive: true, force: true })
        continue
      }
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }

  /** Makes symbolic links by path, instead of what was there. */
  link(links: Readonly<Record<string, string>>): void {
    for (const [path, target] of Object.entries(links)) {
      const link = join(this.directory, path)
      mkdirSync(dirname(link), { recursive: true })
      rmSync(link, { force: true })
      symlinkSync(target, link)
    }
  }
}

export function machine(t: Test, files: Readonly<Record<string, string>>): Machine {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-machine-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const made = new Machine(directory, new TestClock())
  made.set(files)
  return made
}

/** The mount that a directory is on, by its id in mountinfo: proc_pid_fdinfo(5). */
export function mountIdOf(directory: string): number {
  const fd = openSync(directory, 'r')
  try {
    return Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1])
  } finally {
    closeSync(fd)
  }
}
