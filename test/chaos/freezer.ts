/** A cgroup that freezes what is in it: cgroup.freeze of the unified hierarchy, which hybrid hosts have, too. */

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { eachMount } from '../../src/host/mountinfo.ts'
import { retry } from '../kit/requirements.ts'

export class Freezer {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Empty by the end of the test: what is in it has ended by then. */
  static make(t: Test, name: string): Freezer {
    const made = new Freezer(`${unifiedMount()}/${name}`)
    mkdirSync(made.#directory)
    t.teardown(async () => {
      made.freeze(false)
      await retry(() => rmdirSync(made.#directory))
    })
    return made
  }

  add(pid: number): void {
    this.#write('cgroup.procs', String(pid))
  }

  freeze(on: boolean): void {
    this.#write('cgroup.freeze', on ? '1' : '0')
  }

  get isFrozen(): boolean {
    return /^frozen 1$/m.test(readFileSync(`${this.#directory}/cgroup.events`, 'utf8'))
  }

  #write(file: string, text: string): void {
    writeFileSync(`${this.#directory}/${file}`, text)
  }
}

function unifiedMount(): string {
  let found: string | undefined
  eachMount(readFileSync('/proc/self/mountinfo', 'utf8'), mount => {
    if (mount.fsType === 'cgroup2' && mount.root === '/') found ??= mount.mountPoint
  })
  if (found === undefined) throw new Error('Cannot freeze anything: cgroup2 is not mounted')
  return found
}
