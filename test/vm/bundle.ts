/** A container of runc or crun: a bundle with our hook in its config.json, over the guest's busybox. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { splitDevice } from '../../src/host/device-number.ts'
import { retry } from '../kit/requirements.ts'
import {
  DEV,
  hookEntry,
  type Mount,
  PERIOD_USEC,
  PROC,
  renderConfig,
  SYS,
} from '../kit/runc-config.ts'
import type { Site } from '../kit/site.ts'
import type { Container, Limits, Program, Wishes } from './container.ts'

const ROOTFS = '/usr/share/vm/busybox'
const TIMEOUT_MS = 120_000

export class Bundle implements Container {
  readonly #program: Program
  readonly #id: string
  readonly #bundle: string
  readonly #root: string
  #pid: number | undefined

  constructor(site: Site, program: Program, id: string, wishes: Wishes) {
    this.#program = program
    this.#id = id
    this.#bundle = mkdtempSync(join(site.directory, `${id}-`))
    this.#root = join(site.directory, program)
    writeFileSync(join(this.#bundle, 'config.json'), config(site, id, wishes))
  }

  #run(args: readonly string[]) {
    return execa(this.#program, ['--root', this.#root, ...args], {
      stdin: 'ignore',
      timeout: TIMEOUT_MS,
      stripFinalNewline: false,
    })
  }

  async start(): Promise<void> {
    // The container inherits what it is started with: a pipe would never end.
    const log = join(this.#bundle, 'log')
    const run = ['--root', this.#root, '--log', log, 'run', '--detach', '--bundle', this.#bundle]
    await execa(this.#program, [...run, this.#id], { stdio: 'ignore', timeout: TIMEOUT_MS })
  }

  async sh(command: string): Promise<string> {
    return (await this.#run(['exec', this.#id, 'sh', '-c', command])).stdout
  }

  async pid(): Promise<number> {
    this.#pid ??= JSON.parse((await this.#run(['state', this.#id])).stdout).pid as number
    return this.#pid
  }

  async update({ memoryBytes, swapBytes, quotaUsec, cpus }: Limits): Promise<void> {
    const flags = [
      ...(memoryBytes === undefined ? [] : ['--memory', String(memoryBytes)]),
      ...(memoryBytes === undefined || swapBytes === undefined
        ? []
        : ['--memory-swap', String(memoryBytes + swapBytes)]),
      ...(quotaUsec === undefined
        ? []
        : ['--cpu-period', String(PERIOD_USEC), '--cpu-quota', String(quotaUsec)]),
      ...(cpus === undefined ? [] : ['--cpuset-cpus', cpus]),
    ]
    await this.#run(['update', ...flags, this.#id])
  }

  async state() {
    return { id: this.#id, status: 'running', pid: await this.pid(), bundle: this.#bundle }
  }

  async remove(): Promise<void> {
    await retry(async () => {
      await this.#run(['delete', '--force', this.#id]).catch(() => {})
      const { exitCode } = await execa(this.#program, ['--root', this.#root, 'state', this.#id], {
        reject: false,
      })
      if (exitCode === 0) throw new Error(`Cannot delete container ${this.#id}`)
    })
    rmSync(this.#bundle, { recursive: true, force: true })
  }
}

function config(site: Site, id: string, wishes: Wishes): string {
  const { memoryBytes, swapBytes = 0, quotaUsec, cpus, device } = wishes
  const hook = hookEntry(site, ['--strict', '--timeout', '50'], 60)
  return renderConfig({
    rootfs: ROOTFS,
    command: wishes.command ?? ['sleep', '100000'],
    env: ['PATH=/bin'],
    mounts: mounts(wishes),
    hooks: wishes.unhooked ? {} : { createRuntime: [hook], poststop: [hook] },
    cgroupsPath: `${wishes.parent ?? ''}/${id}`,
    namespaces: ['pid', 'ipc', 'uts', 'mount', 'cgroup'].map(type => ({ type })),
    resources: { memoryBytes, swapBytes, quotaUsec, cpus },
    device: device && { path: device.inside, ...splitDevice(statSync(device.host).rdev) },
  })
}

function mounts({ writableCgroup }: Wishes): Mount[] {
  return [
    PROC,
    DEV,
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] },
    SYS,
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', writableCgroup ? 'rw' : 'ro'],
    },
  ]
}
