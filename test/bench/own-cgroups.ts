/** Cgroups for containers that no runtime makes: one in each hierarchy, with limits, below one that is gone afterwards. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readHierarchies } from '../../src/cgroup/hierarchy.ts'
import type { Host } from '../../src/host/host.ts'
import { retry } from '../kit/requirements.ts'

/** Those of which a view reads something, or which a runtime sets. '' is the unified hierarchy. */
const CONTROLLERS = ['memory', 'cpu', 'cpuacct', 'cpuset', 'blkio', 'io', 'pids', 'freezer', '']

/** A quota of one CPU, in the files of both versions. */
const CPU = { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '100000', 'cpu.max': '100000' }

export class OwnCgroups {
  readonly #parents: readonly string[]
  #isPrepared = false

  constructor(host: Host, name: string) {
    const hierarchies = readHierarchies(host)
    const mountPoints = CONTROLLERS.flatMap(each => hierarchies.get(each)?.mountPoint ?? [])
    this.#parents = [...new Set(mountPoints)].map(mountPoint => join('/', mountPoint, name))
  }

  /** Moves a process into cgroups of its own. */
  enter(pid: number, name: string, memoryBytes: number): void {
    if (!this.#isPrepared) this.#prepare()
    const memory = String(memoryBytes)
    const limits = { ...CPU, 'memory.limit_in_bytes': memory, 'memory.max': memory }
    for (const parent of this.#parents) {
      const directory = join(parent, name)
      make(directory)
      for (const [file, value] of Object.entries(limits)) set(join(directory, file), value)
      writeFileSync(join(directory, 'cgroup.procs'), String(pid))
    }
  }

  #prepare(): void {
    this.#isPrepared = true
    for (const parent of this.#parents) {
      enableControllers(join(parent, '..'))
      make(parent)
      enableControllers(parent)
    }
  }

  /** Their processes must have ended. */
  async remove(): Promise<void> {
    for (const parent of this.#parents.filter(existsSync)) {
      const names = readdirSync(parent, { withFileTypes: true }).filter(each => each.isDirectory())
      for (const { name } of names) await retry(() => rmdirSync(join(parent, name)))
      await retry(() => rmdirSync(parent))
    }
  }
}

/** A new cpuset of cgroup v1 has no CPUs, and takes no process before it has some. */
function make(directory: string): void {
  mkdirSync(directory)
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const above = join(directory, '..', file)
    const isFirstVersion = !existsSync(join(directory, 'cgroup.controllers'))
    if (isFirstVersion && existsSync(above)) set(join(directory, file), readFileSync(above, 'utf8'))
  }
}

/** Passes on the controllers that the cgroup has itself. A hierarchy of cgroup v1 needs no such thing. */
function enableControllers(directory: string): void {
  const controllers = join(directory, 'cgroup.controllers')
  if (!existsSync(controllers)) return
  for (const name of readFileSync(controllers, 'utf8').split(/\s+/).filter(Boolean)) {
    set(join(directory, 'cgroup.subtree_control'), `+${name}`)
  }
}

/** Leaves out what the hierarchy does not have. */
function set(file: string, value: string): void {
  if (existsSync(file)) writeFileSync(file, value, { flag: 'r+' })
}
