/** A host that remembers what was read from it, so that the same can be read again from a folder. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, Host } from './host.ts'

/** One moment by two of a machine's clocks, in microseconds. */
export interface Moment {
  monotonicUsec: number
  boottimeUsec: number
}

/** A clock that stands still. */
export function stoppedClock(moment: Moment): Clock {
  return { monotonicUsec: () => moment.monotonicUsec, boottimeUsec: () => moment.boottimeUsec }
}

export class RecordingHost extends Host {
  readonly #texts = new Map<string, string>()
  readonly #directories = new Set<string>()

  /** A file that was read once stays what it was, so that all that is made of what was read is of one moment. */
  override read(path: string): string {
    const text = this.#texts.get(path) ?? super.read(path)
    this.#texts.set(path, text)
    return text
  }

  override has(path: string): boolean {
    if (!super.has(path)) return false
    if (path.startsWith('sys/fs/cgroup/')) this.#directories.add(path)
    else this.read(path)
    return true
  }

  override directories(path: string): string[] {
    const names = super.directories(path)
    for (const name of names) this.#directories.add(`${path}/${name}`)
    return names
  }

  /** Writes all that was read below `folder`; `change` may leave parts out. Returns the paths, sorted. */
  save(folder: string, change: (path: string, text: string) => string): string[] {
    for (const directory of this.#directories) {
      mkdirSync(join(folder, directory), { recursive: true })
    }
    for (const [path, text] of this.#texts) saveFile(folder, path, change(path, text))
    return [...this.#texts.keys()].sort()
  }
}

/** Writes a file and the folders that it is in. Returns its path. */
export function saveFile(folder: string, path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return path
}
