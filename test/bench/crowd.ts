/** Many registered containers: processes that sleep, each in cgroups of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCgroupPaths, readHierarchies } from '../../src/cgroup/hierarchy.ts'
import { readContainer } from '../../src/container/identity.ts'
import { Registry } from '../../src/container/registry.ts'
import { Host } from '../../src/host/host.ts'
import { systemClock } from '../../src/sys/clock.ts'
import { retry } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'

const LIMIT_BYTES = 32 * 2 ** 20

export class Crowd {
  readonly #host = new Host('/', systemClock)
  readonly #site: Site
  readonly #registry: Registry
  readonly #name = `bench-crowd-${process.pid}`
  readonly #parents: readonly string[]
  readonly #processes: ChildProcess[] = []
  readonly #directories: string[] = []

  constructor(site: Site) {
    this.#site = site
    this.#registry = new Registry(site.runDirectory)
    const own = parseCgroupPaths(this.#host.read('proc/self/cgroup'))
    const parents = new Set<string>()
    for (const [controller, { version, mountPoint }] of readHierarchies(this.#host)) {
      const path = own[version === 1 ? controller : '']
      // An empty cpuset takes no process.
      if (path !== undefined && controller !== 'cpuset') parents.add(`/${mountPoint}`)
    }
    this.#parents = [...parents]
  }

  /** As many as that, each of whose files somebody has read. */
  async grow(count: number): Promise<void> {
    for (let i = this.#processes.length; i < count; i++) {
      const child = spawn('sleep', ['100000'], { stdio: 'ignore' })
      this.#processes.push(child)
      const pid = child.pid ?? 0
      for (const parent of this.#parents) {
        const directory = join(parent, `${this.#name}-${i}`)
        mkdirSync(directory)
        this.#directories.push(directory)
        writeFileSync(join(directory, 'cgroup.procs'), String(pid))
        limit(directory)
      }
      const id = `${this.#name}-${i}`
      this.#registry.register(readContainer(this.#host, id, { pid, rootfs: '/' }))
    }
    for (let i = 0; i < count; i++) {
      // None of them samples a load.
      for (const file of ['meminfo', 'cpuinfo', 'swaps']) {
        readFileSync(join(this.#site.mountPoint, 'containers', `${this.#name}-${i}`, 'proc', file))
      }
    }
  }

  /** Where the mount has a file of the container whose number stands for the `%`. */
  path(file: string): string {
    return join(this.#site.mountPoint, 'containers', `${this.#name}-%`, 'proc', file)
  }

  async end(): Promise<void> {
    for (const [i, child] of this.#processes.entries()) {
      this.#registry.forget(`${this.#name}-${i}`)
      child.kill('SIGKILL')
    }
    for (const directory of this.#directories.splice(0)) await retry(() => rmdirSync(directory))
  }
}

function limit(directory: string): void {
  for (const file of ['memory.limit_in_bytes', 'memory.max']) {
    try {
      writeFileSync(join(directory, file), String(LIMIT_BYTES), { flag: 'r+' })
    } catch {
      // The other version's, or another controller.
    }
  }
}
