/**
 * Where a container is in the cgroup hierarchies. It is taken to stay in the cgroup in which its init was found first,
 * wherever the init goes later, until that cgroup is removed: by then the init has been moved, or has ended.
 *
 * A cgroup that was made again at the path is another container's, unless the init is in it. It counts as gone. The two
 * are told apart by inode numbers, which a server keeps for the next one. The first view of a container takes what is
 * there: nobody knows whether the cgroup was made again before that.
 */

import { Cgroup, INODES } from '../cgroup/cgroup.ts'
import { type Group, losses } from '../cgroup/group.ts'
import type { Groups } from '../cgroup/groups.ts'
import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import { hash, isAlive, type KnownProcess } from '../container/identity.ts'
import { readCgroups } from '../container/own-cgroups.ts'
import type { Kept } from '../proc/kept.ts'
import type { Options } from '../proc/options.ts'

interface Placed extends KnownProcess {
  id?: string | undefined
  cgroups: CgroupPaths
  isForgotten?: boolean
}

interface PlacementSetup {
  groups: Groups
  subject: Placed
  /** The option `cgroup`. */
  override: Options['cgroup']
  /** Called with what an operator may want to know. */
  report: (message: string) => void
  /** What an earlier server knows of the cgroups. */
  kept: Kept
}

/** What is kept: a hash of what the view was opened with, so that nothing holds for other paths, and inode numbers. */
const KEPT_NUMBERS = 1 + INODES

/** All placements use these one after the other. */
const numbers = new Float64Array(KEPT_NUMBERS)

export class Placement {
  readonly #groups: Groups
  readonly #subject: Placed
  readonly #override: Options['cgroup']
  readonly #report: (message: string) => void
  readonly #kept: Kept
  #paths: CgroupPaths
  #cgroup: Cgroup
  /** The cgroups that were there when they were opened. */
  #watched: readonly Group[] = []
  /** Whether the container had ended when this was made, and its cgroups were gone. */
  readonly hasEnded: boolean
  /** How many losses there were when they were last looked at. */
  #losses = losses.count

  constructor({ groups, subject, override, report, kept }: PlacementSetup) {
    this.#groups = groups
    this.#subject = subject
    this.#override = override
    this.#report = report
    this.#kept = kept
    this.#paths = subject.cgroups
    // A runtime may place a container only after it has run our hook.
    const unplaced = Object.keys(subject.cgroups).filter(line => subject.cgroups[line] === '/')
    if (unplaced.length > 0) this.#paths = this.#readAgain(unplaced) ?? this.#paths
    this.#cgroup = this.#open(true)
    const { groups: own } = this.#cgroup
    const isGone = own.length > 0 && !own.some(group => group.exists())
    this.hasEnded = subject.isForgotten ?? (isGone && !isAlive(groups.host, subject))
  }

  get cgroup(): Cgroup {
    return this.#cgroup
  }

  close(): void {
    this.#cgroup.close()
  }

  /**
   * Tells after a reading whether the container is still where the reading was taken. `moved` is told once, and
   * `cgroup` is the new one by then.
   */
  check(): 'there' | 'moved' | 'ended' {
    if (this.hasEnded) return 'ended'
    if (losses.count === this.#losses || !this.#hasMissed()) return 'there'
    const lost = this.#watched.filter(group => !group.exists())
    const gone = lost.flatMap(group => this.#cgroup.linesOf(group))
    if (gone.length === 0) return 'there'
    const paths = this.#readAgain(gone)
    if (paths === undefined) return 'ended'
    const isSamePlace = isSame(paths, this.#paths)
    if (isSamePlace && !lost.some(group => group.isReplaced())) return 'there'
    if (!isSamePlace) {
      const name = this.#subject.id ?? `process ${this.#subject.pid}`
      this.#report(`${name} was moved to other cgroups`)
    }
    this.#paths = paths
    this.#cgroup.close()
    this.#cgroup = this.#open()
    return 'moved'
  }

  /** Whether a file of the container's own cgroups could not be read since the last call. */
  #hasMissed(): boolean {
    this.#losses = losses.count
    let hasMissed = false
    for (const group of this.#cgroup.groups) {
      hasMissed ||= group.isMissed
      group.isMissed = false
    }
    return hasMissed
  }

  /** Opens the cgroups that are there now, or those that are `kept`. */
  #open(isKept = false): Cgroup {
    const paths = this.#override === 'auto' ? this.#paths : this.#overridden(this.#override)
    const cgroup = new Cgroup(this.#groups, paths)
    this.#identify(cgroup, isKept)
    this.#watched = cgroup.groups.filter(group => group.isIdentified || group.exists())
    return cgroup
  }

  #identify(cgroup: Cgroup, isKept: boolean): void {
    const opened = hash(JSON.stringify([this.#override, this.#subject.cgroups]), 0)
    numbers.fill(0)
    if (isKept && this.#kept.count === KEPT_NUMBERS) this.#kept.load(numbers)
    if (numbers[0] !== opened) numbers.fill(0)
    numbers[0] = opened
    cgroup.identify(numbers.subarray(1))
    this.#kept.store(numbers, KEPT_NUMBERS)
  }

  #overridden(path: string): CgroupPaths {
    return Object.fromEntries(Object.keys(this.#paths).map(controller => [controller, path]))
  }

  /** The paths, with those of `lines` read again; `undefined` when the init has ended. */
  #readAgain(lines: readonly string[]): CgroupPaths | undefined {
    const { id, pid } = this.#subject
    if (pid === undefined || !isAlive(this.#groups.host, this.#subject)) return undefined
    try {
      const now = readCgroups(this.#groups.host, pid, id ?? '/')
      const changed = lines.map(line => [line, now[line] ?? '/'] as const)
      return { ...this.#paths, ...Object.fromEntries(changed) }
    } catch {
      return undefined
    }
  }
}

function isSame(one: CgroupPaths, other: CgroupPaths): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every(name => one[name] === other[name])
}
