/** Waits for a socket to be made, without looking for it again and again: inotify(7) tells of changes in its directory. */

import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { realPath } from '../host/host.ts'

/** A runtime binds the socket, and listens a moment later. */
const SETTLED_MS = 50

/** Where nothing can be watched, as where no more watches are to be had, it is looked for after so long. */
const LOOK_MS = 10_000

/** Resolves with the first of the paths that is there. */
export async function untilThere(paths: readonly string[]): Promise<string> {
  for (;;) {
    using changes = new Changes(paths)
    const there = paths.find(path => existsSync(path))
    if (there !== undefined) return there
    await changes.happened
    await sleep(SETTLED_MS)
  }
}

/** Resolves when a directory of the paths has changed, and at the latest after `mostMs`. */
export async function untilChanged(paths: readonly string[], mostMs: number): Promise<void> {
  using changes = new Changes(paths)
  const controller = new AbortController()
  const late = sleep(mostMs, undefined, { signal: controller.signal }).catch(() => {})
  await Promise.race([late, changes.happened])
  controller.abort()
  await sleep(SETTLED_MS)
}

class Changes implements Disposable {
  readonly #watchers: FSWatcher[] = []
  readonly #timer: NodeJS.Timeout | undefined
  #happen: () => void = () => {}
  readonly happened: Promise<void>

  constructor(paths: readonly string[]) {
    this.happened = new Promise(resolve => {
      this.#happen = resolve
    })
    const isWatched = directoriesOf(paths).map(directory => this.#watch(directory))
    if (isWatched.includes(false)) this.#timer = setTimeout(this.#happen, LOOK_MS)
  }

  #watch(directory: string): boolean {
    try {
      const watcher = watch(directory, () => this.#happen())
      watcher.on('error', () => this.#happen())
      this.#watchers.push(watcher)
      return true
    } catch {
      return false
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }
}

/** The deepest directories above the paths that are there. One that is removed tells of that, too. */
function directoriesOf(paths: readonly string[]): string[] {
  const found = paths.map(path => {
    let directory = dirname(path)
    while (!existsSync(directory)) directory = dirname(directory)
    return realPath(directory)
  })
  return [...new Set(found)]
}
