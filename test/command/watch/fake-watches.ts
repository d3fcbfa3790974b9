/** The kernel's watches as a test drives them: a directory is its inode, and events are what a test says. */

import { statSync } from 'node:fs'
import type { InotifyEvent } from '../../../src/host/inotify.ts'

export class FakeWatches {
  readonly #wds = new Map<number, number>()
  /** The path by which each watch was added last. */
  readonly paths = new Map<number, string>()
  /** Whether there is no room for another one. */
  isFull = false
  #last = 0

  add(path: string): number | undefined {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat?.isDirectory()) return undefined
    const known = this.#wds.get(stat.ino)
    if (known !== undefined && this.paths.has(known)) return known
    if (this.isFull) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
    const wd = ++this.#last
    this.#wds.set(stat.ino, wd)
    this.paths.set(wd, path)
    return wd
  }

  remove(wd: number): void {
    this.paths.delete(wd)
  }

  /** An event of the directory at `path`. */
  event(path: string, mask: number, name = ''): InotifyEvent {
    for (const [wd, each] of this.paths) if (each === path) return { wd, mask, name }
    throw new Error(`${path} is not watched`)
  }

  /** What the kernel says at the end of a directory; it forgets the watch. */
  ended(path: string, mask: number, ignored: number): InotifyEvent[] {
    const { wd } = this.event(path, mask)
    this.paths.delete(wd)
    return [mask, ignored].map(each => ({ wd, mask: each, name: '' }))
  }

  below(root: string): string[] {
    return [...this.paths.values()].map(path => path.slice(root.length + 1)).sort()
  }
}
