/**
 * Watches the places where runtimes keep their containers. Of a place that is not there the nearest directory above it is
 * watched, until it comes, and again when it has gone. What is watched follows from what is there: after a change the way to
 * a place is walked anew.
 */

import { join } from 'node:path'
import type { Host } from '../../host/host.ts'
import { IN_IGNORED, IN_Q_OVERFLOW, type InotifyEvent } from '../../host/inotify.ts'
import type { Place } from '../../runtimes/places.ts'
import { fitsPattern } from '../../runtimes/roots.ts'
import { COME, ENTRY, ON_THE_WAY, OVER, PLACE, type Watches } from './watches.ts'

/** Where a container has come, changed or gone. */
export interface Entry {
  place: Place
  /** The directory, below the host's root, in which the entry is. */
  root: string
  name: string
}

interface Told {
  changed(entry: Entry): void
  /** Events were lost: anything may have changed, and all is to be looked at. */
  lost(): void
  /** A directory cannot be watched. */
  failed(error: unknown): void
}

/** A place, and the directories on the way to it by how many parts of its pattern they stand for. */
interface Way {
  place: Place
  parts: readonly string[]
  directories: Map<string, number>
}

const FAILED = -1

export class PlaceWatch {
  readonly #host: Host
  readonly #watches: Watches
  readonly #told: Told
  readonly #ways: readonly Way[]
  /** What is watched, by path; the directories of containers, which are watched until they are complete, are apart. */
  readonly #watched = new Map<string, number>()
  readonly #open = new Map<string, { wd: number; entry: Entry }>()
  /** Paths by watch: two paths may lead to one directory. */
  readonly #paths = new Map<number, Set<string>>()

  constructor(host: Host, watches: Watches, places: readonly Place[], told: Told) {
    this.#host = host
    this.#watches = watches
    this.#told = told
    this.#ways = places.map(place => ({
      place,
      parts: place.pattern.split('/').filter(part => part !== '' && part !== '.'),
      directories: new Map(),
    }))
  }

  /** How many watches the kernel keeps for this. */
  get count(): number {
    return this.#paths.size
  }

  /** Begins to watch, and tells of every container that is there already. */
  lookAtAll(): void {
    for (const path of this.#open.keys()) if (!this.#host.has(path)) this.#close(path)
    for (const way of this.#ways) this.#walk(way, true)
  }

  /** To be called when nothing more is to be learnt of a container before it ends. */
  close({ root, name }: Entry): void {
    this.#close(join(root, name))
  }

  /** To be called with all events. */
  take(events: readonly InotifyEvent[]): void {
    for (const event of events) {
      if ((event.mask & IN_Q_OVERFLOW) !== 0) {
        this.#told.lost()
        return
      }
    }
    for (const event of events) {
      const paths = [...(this.#paths.get(event.wd) ?? [])]
      for (const path of paths) this.#happened(path, event)
      if ((event.mask & IN_IGNORED) !== 0) this.#paths.delete(event.wd)
    }
  }

  #happened(path: string, { wd, mask, name }: InotifyEvent): void {
    const open = this.#open.get(path)
    if (open?.wd === wd) {
      if ((mask & OVER) !== 0) this.#open.delete(path)
      else if (open.entry.place.files.includes(name)) this.#told.changed(open.entry)
    }
    const isOver = (mask & OVER) !== 0
    if (isOver && this.#watched.get(path) === wd) this.#unwatch(path)
    for (const way of this.#ways) {
      const depth = way.directories.get(path)
      if (depth === undefined) continue
      if (isOver) this.#walk(way, false)
      else if (depth === way.parts.length) this.#changed(way, path, name, mask)
      else if ((mask & COME) !== 0 && fitsPattern(way.parts[depth] ?? '', name)) {
        this.#walk(way, false)
      }
    }
  }

  #changed({ place }: Way, root: string, name: string, mask: number): void {
    if ((mask & COME) !== 0) this.#appeared(place, root, name)
    else {
      this.#close(join(root, name))
      this.#tell({ place, root, name })
    }
  }

  #appeared(place: Place, root: string, name: string): void {
    const entry = { place, root, name }
    // The watch comes first: what changes after the look is told.
    if (place.files.length > 0 && name.startsWith(place.prefix)) {
      const path = join(root, name)
      const wd = this.#add(path, ENTRY)
      if (wd === undefined) return
      if (wd !== FAILED) this.#open.set(path, { wd, entry })
    }
    this.#tell(entry)
  }

  #tell(entry: Entry): void {
    if (entry.name.startsWith(entry.place.prefix)) this.#told.changed(entry)
  }

  /** Watches the way to a place as far as it goes. Tells of containers in directories that are new, or of `all`. */
  #walk(way: Way, all: boolean): void {
    const before = way.directories
    way.directories = new Map()
    this.#visit(way, '', 0, path => all || !before.has(path))
    for (const path of before.keys()) {
      if (!this.#ways.some(({ directories }) => directories.has(path))) this.#unwatch(path)
    }
  }

  /** Returns whether there is something to watch from there on. */
  #visit(way: Way, path: string, depth: number, isToTell: (path: string) => boolean): boolean {
    const part = way.parts[depth]
    if (part === undefined) {
      const isNew = this.#watch(way, path, depth, PLACE)
      if (isNew === undefined) return false
      if (isNew || isToTell(path)) {
        for (const name of this.#host.list(path)) this.#appeared(way.place, path, name)
      }
      return true
    }
    if (!part.includes('*')) {
      const next = () => this.#visit(way, join(path, part), depth + 1, isToTell)
      if (next()) return true
      if (this.#watch(way, path, depth, ON_THE_WAY) === undefined) return false
      // It may have come before it was watched for. The next walk takes the needless watch off.
      next()
      return true
    }
    if (this.#watch(way, path, depth, ON_THE_WAY) === undefined) return false
    for (const name of this.#host.directories(path)) {
      if (fitsPattern(part, name)) this.#visit(way, join(path, name), depth + 1, isToTell)
    }
    return true
  }

  /** Returns whether the directory was not watched before; `undefined` where it cannot be. */
  #watch(way: Way, path: string, depth: number, mask: number): boolean | undefined {
    const wd = this.#add(path, mask)
    if (wd === undefined || wd === FAILED) return undefined
    way.directories.set(path, depth)
    const known = this.#watched.get(path)
    if (known === wd) return false
    if (known !== undefined) this.#unwatch(path)
    this.#watched.set(path, wd)
    return true
  }

  /** Returns FAILED when the kernel has no room for the watch. */
  #add(path: string, mask: number): number | undefined {
    try {
      const wd = this.#watches.add(this.#host.path(path), mask)
      if (wd === undefined) return undefined
      const paths = this.#paths.get(wd) ?? new Set()
      this.#paths.set(wd, paths.add(path))
      return wd
    } catch (error) {
      this.#told.failed(error)
      return FAILED
    }
  }

  #close(path: string): void {
    const open = this.#open.get(path)
    if (open === undefined) return
    this.#open.delete(path)
    this.#release(path, open.wd)
  }

  #unwatch(path: string): void {
    const wd = this.#watched.get(path)
    if (wd === undefined) return
    this.#watched.delete(path)
    this.#release(path, wd)
  }

  /** Takes the watch off when no path needs it any more. */
  #release(path: string, wd: number): void {
    const isNeeded = this.#watched.get(path) === wd || this.#open.get(path)?.wd === wd
    const paths = this.#paths.get(wd)
    if (isNeeded || paths === undefined) return
    paths.delete(path)
    if (paths.size > 0) return
    this.#paths.delete(wd)
    this.#watches.remove(wd)
  }
}
