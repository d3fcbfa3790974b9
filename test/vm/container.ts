/** One container, whatever started it: runc or crun with a bundle, or podman with either. */

import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Site } from '../kit/site.ts'
import { Bundle } from './bundle.ts'
import { Podman } from './podman.ts'

export const MiB = 2 ** 20

export interface Limits {
  memoryBytes?: number
  /** What may be in swap besides; only together with `memoryBytes`. */
  swapBytes?: number
  /** In 100 ms. */
  quotaUsec?: number
  cpus?: string
}

export interface Wishes extends Limits {
  /** Path of the cgroup to make its cgroup in, as in /proc/PID/cgroup. */
  parent?: string
  device?: { host: string; inside: string }
  /** It may write below /sys/fs/cgroup, which is its own cgroup. */
  writableCgroup?: boolean
  /** It starts without our hook. */
  unhooked?: boolean
  /** What it runs; `sleep` when missing. */
  command?: readonly string[]
  /** Of `podman run`. */
  podman?: readonly string[]
}

export interface Container {
  start(): Promise<void>
  /** Output of a shell command inside, with its last newline. Throws when it fails. */
  sh(command: string): Promise<string>
  /** Of its init, on the host. */
  pid(): Promise<number>
  update(limits: Limits): Promise<void>
  /** What a runtime tells its hooks of it. */
  state(): Promise<{ id: string; status: string; pid: number; bundle: string }>
  remove(): Promise<void>
}

export type Program = 'runc' | 'crun'
export type Runtime = Program | `podman with ${Program}`

export const RUNTIMES: readonly Runtime[] = ['runc', 'crun', 'podman with crun']
export const ALL_RUNTIMES: readonly Runtime[] = [...RUNTIMES, 'podman with runc']

/** A container that is gone when the test ends. */
export async function launch(
  t: Test,
  site: Site,
  runtime: Runtime,
  name: string,
  wishes: Wishes = {},
): Promise<Container> {
  const made =
    runtime === 'runc' || runtime === 'crun'
      ? new Bundle(site, runtime, name, wishes)
      : new Podman(site, runtime === 'podman with crun' ? 'crun' : 'runc', name, wishes)
  t.teardown(() => made.remove())
  await made.start()
  return made
}

/**
 * Files as the container sees them, through the root of its init: whoever reads gets the same, and starting a
 * process inside takes podman seconds under emulation.
 */
export async function read(container: Container, ...paths: string[]): Promise<string[]> {
  const root = `/proc/${await container.pid()}/root`
  return paths.map(path => readFileSync(root + path, 'utf8'))
}

/** Directory of its cgroup, as it was created in. */
export async function cgroupOf(container: Container): Promise<string> {
  const text = readFileSync(`/proc/${await container.pid()}/cgroup`, 'utf8')
  return `/sys/fs/cgroup${/^0::(.*)$/m.exec(text)?.[1]}`
}

/** How many CPUs each of the files shows. */
export async function countCpus(container: Container) {
  const online = '/sys/devices/system/cpu/online'
  const [cpuinfo, stat, list] = await read(container, '/proc/cpuinfo', '/proc/stat', online)
  return {
    cpuinfo: cpuinfo?.match(/^processor\t/gm)?.length,
    stat: stat?.match(/^cpu\d+ /gm)?.length,
    online: list,
  }
}

export const cpus = (count: number) => ({
  cpuinfo: count,
  stat: count,
  online: count === 1 ? '0\n' : `0-${count - 1}\n`,
})
