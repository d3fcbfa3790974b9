/** A host that remembers what was read from it, so that the same can be read again from a folder. */

import { statSync } from 'node:fs'
import type { Beginning } from './beginning.ts'
import { type Clock, Host, orUndefined } from './host.ts'
import type { OutputFolder } from './output-folder.ts'

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
  readonly #files = new Map<string, { beginning: Beginning; mode: number }>()
  readonly #directories = new Set<string>()

  /** A file that was read once stays what it was, so that all that is made of what was read is of one moment. */
  override readBeginning(path: string, mostBytes: number): Beginning {
    const known = this.#files.get(path)?.beginning
    if (known?.isWhole) return known
    const beginning = super.readBeginning(path, mostBytes)
    const mode = orUndefined(() => statSync(this.path(path)).mode) ?? OWNER_ONLY
    this.#files.set(path, { beginning, mode })
    return beginning
  }

  override has(path: string): boolean {
    if (!super.has(path)) return false
    if (path.startsWith('sys/fs/cgroup/')) this.#directories.add(path)
    else this.read(path)
    return true
  }

  /** Only cgroups' directories are asked for theirs. */
  override inode(path: string): number | undefined {
    const inode = super.inode(path)
    if (inode !== undefined) this.#directories.add(path)
    return inode
  }

  override directories(path: string, most?: number): string[] {
    const names = super.directories(path, most)
    for (const name of names) this.#directories.add(`${path}/${name}`)
    return names
  }

  /**
   * Writes all that was read into `folder`, each file with the mode that it has; `change` may leave parts out. Returns
   * the paths, sorted.
   */
  save(folder: OutputFolder, change: (path: string, text: string) => string): string[] {
    for (const directory of this.#directories) folder.makeDirectory(directory)
    for (const [path, { beginning, mode }] of this.#files) {
      folder.write(path, change(path, beginning.text), mode)
    }
    return [...this.#files.keys()].sort()
  }
}

/** The mode of a file that is gone by the time it is asked for. */
const OWNER_ONLY = 0o400
