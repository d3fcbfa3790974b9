/**
 * A container on the machine SAMPLE_HOST with nothing but files: `unified(t, { '/ctr/memory.max': 1073741824 })`. A path with
 * a leading slash is a cgroup's and goes into the hierarchy that has such files, any other is the machine's. What a
 * test does not mention is absent.
 */

import { mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { Groups } from '../../src/cgroup/groups.ts'
import { parseCgroupPaths } from '../../src/cgroup/hierarchy.ts'
import { FILES } from '../../src/proc/files.ts'
import { keptHere } from '../../src/proc/kept.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import { findFile } from '../../src/proc/paths.ts'
import { ContainerView } from '../../src/view/container-view.ts'
import { type Machine, machine } from '../machines/machine.ts'
import { SAMPLE_HOST } from '../machines/sample-host.ts'
import { type Kind, listCgroup, listControllers, mountinfoOf, placeFile } from './hierarchies.ts'

/** Texts, to which the newline at the end is added, or numbers; `undefined` removes a file. */
export type Files = Readonly<Record<string, string | number | undefined>>

export interface Setting {
  /** Of the container's cgroup, in every hierarchy. */
  path?: string
  /** v1's hierarchies, or the unified one's controllers; all that there are unless said. */
  controllers?: readonly string[]
  /** Text of the init's /proc/PID/cgroup, where `path` does not say it all. */
  cgroups?: string
  options?: Partial<Options>
  /** Since the init was created. */
  ageSeconds?: number
}

export const INIT = 4242

/** By id in the init's mountinfo, where a test gives one: the root as the runtime mounted it. */
export const ROOT_MOUNT = 5

export const unified = (t: Test, files: Files, setting: Setting = {}) =>
  new Tenant(t, 'unified', files, setting)

export const legacy = (t: Test, files: Files, setting: Setting = {}) =>
  new Tenant(t, 'legacy', files, setting)

/** All controllers are v1's, and a unified hierarchy beside them has the processes too. */
export const hybrid = (t: Test, files: Files, setting: Setting = {}) =>
  new Tenant(t, 'hybrid', files, setting)

export class Tenant {
  readonly machine: Machine
  readonly startTicks: number
  readonly #kind: Kind
  readonly #cgroups: string
  #kept = keptHere()
  #view: ContainerView
  #replaced = 0

  constructor(t: Test, kind: Kind, files: Files, setting: Setting) {
    const { path = '/ctr', controllers = listControllers(kind), ageSeconds = 100 } = setting
    this.#kind = kind
    this.#cgroups = setting.cgroups ?? listCgroup(kind, controllers, path)
    this.machine = machine(t, SAMPLE_HOST)
    this.startTicks = Math.round((this.machine.clock.usec / 1e6 - ageSeconds) * 100)
    this.machine.set(mountinfoOf(kind, controllers))
    this.set({
      [`proc/${INIT}/cgroup`]: this.#cgroups,
      [`proc/${INIT}/stat`]: statOf(this.startTicks),
      ...files,
    })
    this.#makeCgroups()
    this.#view = this.#open(setting.options)
  }

  get view(): ContainerView {
    return this.#view
  }

  /** What the container's process reads, by any of the file's names: `meminfo`, `online`. */
  read(name: string): string {
    const path = findFile(name)
    const file = FILES.find(candidate => candidate.path === path)
    if (file === undefined) throw new Error(`Cannot read ${name}: it is none of our files`)
    return file.render(this.#view).toString()
  }

  /** Lines that begin with one of `words`, up to a blank or a colon. */
  lines(name: string, ...words: string[]): string[] {
    return this.read(name)
      .split('\n')
      .filter(line => words.includes(line.split(/[ \t:]/)[0] ?? ''))
  }

  set(files: Files): void {
    const placed = Object.entries(files).map(([path, value]) => [
      path.startsWith('/') ? placeFile(this.#kind, path) : path,
      value === undefined ? undefined : `${value}`.replace(/([^\n])$/, '$1\n'),
    ])
    this.machine.set(Object.fromEntries(placed))
  }

  advance(seconds: number): void {
    this.machine.clock.advance(seconds)
  }

  /** The same container under a server with other options, which knows nothing of before. */
  reopen(options: Partial<Options>): void {
    this.#kept = keptHere()
    this.#view = this.#open(options)
  }

  /** The same container under the next server, which goes on from what this one has kept. */
  restart(options: Partial<Options> = {}): void {
    this.#view = this.#open(options)
  }

  /** Another cgroup takes the place of the one that has this file, and gets the files. */
  replace(path: string, files: Files): void {
    const directory = join(this.machine.directory, dirname(placeFile(this.#kind, path)))
    // The inode stays in use, or the next directory might have its number.
    renameSync(directory, join(this.machine.directory, `replaced-${this.#replaced++}`))
    mkdirSync(directory)
    this.set(files)
  }

  #open(options: Partial<Options> = {}): ContainerView {
    const cgroups = parseCgroupPaths(this.#cgroups)
    const init = { pid: INIT, startTicks: this.startTicks, rootMount: ROOT_MOUNT }
    return new ContainerView({
      groups: new Groups(this.machine),
      subject: { ...init, cgroups, kept: this.#kept },
      options: { ...DEFAULT_OPTIONS, ...options },
    })
  }

  /** Every cgroup lists its processes: by this the directory is there. */
  #makeCgroups(): void {
    for (const line of this.#cgroups.split('\n')) {
      const [, names, path] = /^\d+:([^:]*):(\/[^.].*)$/.exec(line) ?? []
      if (names === undefined || path === undefined || names.includes('=')) continue
      this.machine.set({ [placeFile(this.#kind, `${path}/cgroup.procs`, names)]: `${INIT}\n` })
    }
  }
}

/** /proc/PID/stat of an init called `(tmux: server) x)`, as prctl(2) allows. */
export const statOf = (startTicks: number): string =>
  `${INIT} (tmux: server) x) S 1${' 0'.repeat(17)} ${startTicks} 0 0\n`
