/** A cgroup whose processes share a small part of one CPU: cpu.cfs_quota_us of version 1, or cpu.max of version 2. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { parseHierarchies } from '../../src/cgroup/hierarchy.ts'
import { retry, skipFor } from '../kit/requirements.ts'

const PERIOD_USEC = 100_000

/** Options for `t.test` where a test needs it. */
export const needsCpuLimit = () =>
  skipFor(findRoot() === undefined ? 'needs a hierarchy of cgroups with "cpu"' : undefined)

export class CpuLimit {
  /** Of the hierarchy. */
  readonly #root: string
  readonly #directory: string

  private constructor(root: string, name: string) {
    this.#root = root
    this.#directory = `${root}/${name}-${process.pid}`
  }

  /** Without a limit yet. What is in it by the end of the test goes back to the root. */
  static make(t: Test, name: string): CpuLimit {
    const root = findRoot()
    if (root === undefined) throw new Error('Cannot limit CPU time: no cgroups have "cpu"')
    const made = new CpuLimit(root, name)
    const controllers = `${made.#root}/cgroup.subtree_control`
    if (existsSync(controllers)) writeFileSync(controllers, '+cpu')
    mkdirSync(made.#directory)
    t.teardown(async () => {
      made.lift()
      await retry(() => {
        const pids = readFileSync(`${made.#directory}/cgroup.procs`, 'utf8').split('\n')
        for (const pid of pids.filter(Boolean)) writeFileSync(`${made.#root}/cgroup.procs`, pid)
        rmdirSync(made.#directory)
      })
    })
    return made
  }

  add(pid: number): void {
    this.#write('cgroup.procs', String(pid))
  }

  set(percent: number): void {
    this.#limit(String((PERIOD_USEC / 100) * percent))
  }

  lift(): void {
    this.#limit(undefined)
  }

  #limit(quotaUsec: string | undefined): void {
    if (existsSync(`${this.#directory}/cpu.max`)) {
      this.#write('cpu.max', `${quotaUsec ?? 'max'} ${PERIOD_USEC}`)
    } else {
      this.#write('cpu.cfs_period_us', String(PERIOD_USEC))
      this.#write('cpu.cfs_quota_us', quotaUsec ?? '-1')
    }
  }

  #write(file: string, text: string): void {
    writeFileSync(`${this.#directory}/${file}`, text)
  }
}

function findRoot(): string | undefined {
  const hierarchies = parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), mountPoint =>
    readFileSync(`/${mountPoint}/cgroup.controllers`, 'utf8'),
  )
  const root = hierarchies.get('cpu')
  return root && `/${root.mountPoint}`
}
