/**
 * Directories of sysfs as a container sees them. What is in them is the host's at this moment, as far as everybody may read
 * it and proc/sysfs/ does not say otherwise. A path of the container is never given to the host: it is gone along name by
 * name, each of which the host has, and no link is followed.
 */

import { ENODEV } from '../fuse/errno.ts'
import type { Entries, EntryKind } from '../host/kept-entries.ts'
import type { DirectoryPath } from '../proc/paths.ts'
import { findSysDirectory } from '../proc/sysfs/directories.ts'
import type { SysDirectory, SysView } from '../proc/sysfs/directory.ts'
import type { View } from '../proc/view.ts'
import { isName } from './node-table.ts'

const S_IROTH = 0o004
const READABLE = 0o444

export interface SysEntry {
  readonly kind: EntryKind
  /** The permission bits that a container sees. */
  readonly mode: number
  /** Whether the container may see the entry at one moment and not at the next one. */
  readonly isFleeting: boolean
}

/** What must not be done again, as in renderer.ts. A whole directory stands for all that is in it. */
export interface SysGuard {
  begin(directory: DirectoryPath, view: View): boolean
  end(): void
}

interface Setup {
  entries: Entries
  guard: SysGuard
  /** Called with the directory of which a view could not be shown, so that the host's was. */
  failed: (path: string, cause: unknown) => void
}

interface Found extends SysEntry {
  directory: SysDirectory
  /** Path below the directory, as the container sees it. */
  below: string
  /** The host's. */
  path: string
}

/** All paths are such as `sys/devices/system/cpu/cpu0`. `view` is `undefined` for who sees the host's CPUs. */
export class Sysfs {
  readonly #setup: Setup

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** Whether what is in the directory is ours to say. */
  has(path: string): boolean {
    return findSysDirectory(path) !== undefined
  }

  /** `undefined` for what the container does not see. */
  find(path: string, view: View | undefined): SysEntry | undefined {
    return this.#shown(path, view, shown => this.#find(path, shown))
  }

  /** Names in a directory, with what they name; none where the container does not see it. */
  list(path: string, view: View | undefined): { name: string; kind: EntryKind }[] {
    return this.#shown(path, view, shown => {
      const found = this.#find(path, shown)
      if (found?.kind !== 'directory') return []
      const names = this.#setup.entries.list(found.path)
      if (typeof names === 'number') return []
      return found.directory.shownNames(found.below, names, shown).flatMap(name => {
        const kind = this.#enter(found, name, shown)?.kind
        return kind === undefined ? [] : [{ name, kind }]
      })
    })
  }

  /** The text of a file, or a negative errno; `undefined` where the container does not see it. */
  read(path: string, view: View | undefined): Buffer | number | undefined {
    return this.#shown(path, view, shown => {
      const found = this.#find(path, shown)
      if (found?.kind !== 'file') return undefined
      const host = this.#setup.entries.text(found.path)
      const render = found.directory.findRender(found.below)
      if (typeof host === 'number' || render === undefined || shown === undefined) return host
      return Buffer.from(render(host.toString('latin1'), shown))
    })
  }

  /** What a link says; `undefined` where the container does not see it. */
  link(path: string, view: View | undefined): string | undefined {
    return this.#shown(path, view, shown => {
      const found = this.#find(path, shown)
      if (found?.kind !== 'link') return undefined
      const host = this.#setup.entries.link(found.path)
      const { directory, below } = found
      return host && shown && directory.renderLink ? directory.renderLink(below, host) : host
    })
  }

  /** Does `work` for the view, and for the host where that cannot be done. */
  #shown<T>(path: string, view: View | undefined, work: (shown: SysView | undefined) => T): T {
    const { guard, failed } = this.#setup
    const directory = findSysDirectory(path)?.directory.path
    if (view === undefined || directory === undefined || !guard.begin(directory, view)) {
      return work(undefined)
    }
    try {
      return work(new Moment(view))
    } catch (error) {
      if (isShortOfFiles(error)) throw error
      failed(directory, error)
      return work(undefined)
    } finally {
      guard.end()
    }
  }

  #find(path: string, view: SysView | undefined): Found | undefined {
    const place = findSysDirectory(path)
    if (place === undefined) return undefined
    const { directory, below } = place
    let found: Found | undefined = {
      ...{ kind: 'directory', mode: 0o555, isFleeting: false },
      ...{ directory, below: '', path: directory.path },
    }
    if (below === '') return found
    for (const name of below.split('/')) {
      found = found?.kind === 'directory' ? this.#enter(found, name, view) : undefined
    }
    return found
  }

  #enter(parent: Found, name: string, view: SysView | undefined): Found | undefined {
    if (!isName(name)) return undefined
    const { directory, below: within } = parent
    const hostName = directory.hostName(within, name, view)
    if (hostName === undefined) return undefined
    const path = `${parent.path}/${hostName}`
    const entry = this.#setup.entries.entry(path)
    if (entry === undefined || directory.isHidden(within, hostName, view)) return undefined
    const { kind } = entry
    if (kind !== 'link' && (entry.mode & S_IROTH) === 0) return undefined
    const below = within === '' ? name : `${within}/${name}`
    const mode = kind === 'directory' ? 0o555 : kind === 'link' ? 0o777 : entry.mode & READABLE
    return { kind, mode, isFleeting: directory.isFleeting(below), directory, below, path }
  }
}

/** A view that is asked for its CPUs and nodes once, however many entries one request is about. */
class Moment implements SysView {
  readonly options: SysView['options']
  readonly #view: View
  #cpus: ReturnType<View['cpus']> | undefined
  #nodes: { readonly numbers: ReturnType<View['nodes']> } | undefined

  constructor(view: View) {
    this.options = view.options
    this.#view = view
  }

  cpus() {
    this.#cpus ??= this.#view.cpus()
    return this.#cpus
  }

  nodes() {
    this.#nodes ??= { numbers: this.#view.nodes() }
    return this.#nodes.numbers
  }

  hostFile(path: string, witness?: string | number) {
    return this.#view.hostFile(path, witness)
  }

  hostText(path: string) {
    return this.#view.hostText(path)
  }

  memory() {
    return this.#view.memory()
  }

  events() {
    return this.#view.events()
  }

  numaStat() {
    return this.#view.numaStat()
  }
}

/** What a read of something says that has been taken away: kernfs has the same for a device that is gone. */
export const GONE = -ENODEV

function isShortOfFiles(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EMFILE' || code === 'ENFILE'
}
