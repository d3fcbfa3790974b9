/**
 * A cgroup of the freezer of cgroup version 1. What is frozen there and killed is not gone until it is thawed: as a process
 * that waits in the kernel for a file system, it has SIGKILL pending, and keeps its descriptors and its locks.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { retry, skipFor } from '../kit/requirements.ts'

const ROOT = '/sys/fs/cgroup/freezer'

/** Options for `t.test` where a test needs it. */
export const needsOldFreezer = () =>
  skipFor(
    existsSync(`${ROOT}/cgroup.procs`) ? undefined : `needs the freezer of cgroup v1 at ${ROOT}`,
  )

export class OldFreezer {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Thawed, and gone with all that was frozen and killed in it, by the end of the test. */
  static make(t: Test, name: string): OldFreezer {
    const made = new OldFreezer(`${ROOT}/${name}-${process.pid}`)
    mkdirSync(made.#directory)
    t.teardown(async () => {
      made.thaw()
      await retry(() => {
        for (const pid of made.#pids()) writeFileSync(`${ROOT}/cgroup.procs`, pid)
        rmdirSync(made.#directory)
      })
    })
    return made
  }

  async freeze(pid: number): Promise<void> {
    writeFileSync(`${this.#directory}/cgroup.procs`, String(pid))
    writeFileSync(`${this.#directory}/freezer.state`, 'FROZEN')
    await retry(() => {
      const state = readFileSync(`${this.#directory}/freezer.state`, 'utf8')
      if (state !== 'FROZEN\n') throw new Error(`Cannot go on: process ${pid} is not frozen yet`)
    })
  }

  thaw(): void {
    writeFileSync(`${this.#directory}/freezer.state`, 'THAWED')
  }

  #pids(): string[] {
    return readFileSync(`${this.#directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean)
  }
}
