/** A container of podman, with the hooks.d entry that we ship, for this test's procveil. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { EXECUTABLE } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'
import type { Container, Limits, Program, Wishes } from './container.ts'

export const IMAGE = 'localhost/procveil-busybox:latest'
const TIMEOUT_MS = 180_000

export class Podman implements Container {
  readonly #options: readonly string[]
  readonly #name: string
  readonly #wishes: Wishes
  #pid: number | undefined

  constructor(site: Site, program: Program, name: string, wishes: Wishes) {
    const hooks = wishes.unhooked ? [] : ['--hooks-dir', writeHooks(site)]
    this.#options = [...hooks, '--runtime', program]
    this.#name = name
    this.#wishes = wishes
  }

  #podman(...args: string[]) {
    return execa('podman', [...this.#options, ...args], {
      stdin: 'ignore',
      timeout: TIMEOUT_MS,
      stripFinalNewline: false,
    })
  }

  async start(): Promise<void> {
    const { parent, device, writableCgroup, podman = [], command } = this.#wishes
    const flags = [
      ...limits(this.#wishes),
      ...(parent === undefined ? [] : ['--cgroup-parent', parent]),
      ...(device === undefined ? [] : ['--device', `${device.host}:${device.inside}`]),
      ...(writableCgroup ? ['--privileged'] : []),
      ...podman,
    ]
    const run = ['run', '--detach', '--name', this.#name, '--network', 'none', ...flags]
    await this.#podman(...run, IMAGE, ...(command ?? ['sleep', '100000']))
  }

  async sh(command: string): Promise<string> {
    return (await this.#podman('exec', this.#name, 'sh', '-c', command)).stdout
  }

  async #inspect() {
    const { stdout } = await this.#podman('inspect', this.#name)
    return JSON.parse(stdout)[0]
  }

  async pid(): Promise<number> {
    this.#pid ??= (await this.#inspect()).State.Pid as number
    return this.#pid
  }

  async update(change: Limits): Promise<void> {
    await this.#podman('update', ...limits(change), this.#name)
  }

  async state() {
    const { Id, State, OCIConfigPath } = await this.#inspect()
    const bundle = OCIConfigPath.slice(0, OCIConfigPath.lastIndexOf('/'))
    return { id: Id, status: 'running', pid: State.Pid, bundle }
  }

  async remove(): Promise<void> {
    await this.#podman('rm', '--force', '--time', '0', this.#name)
  }
}

function limits({ memoryBytes, swapBytes, quotaUsec, cpus }: Limits): string[] {
  return [
    ...(memoryBytes === undefined ? [] : ['--memory', String(memoryBytes)]),
    ...(memoryBytes === undefined || swapBytes === undefined
      ? []
      : ['--memory-swap', String(memoryBytes + swapBytes)]),
    ...(quotaUsec === undefined ? [] : ['--cpus', String(quotaUsec / 100_000)]),
    ...(cpus === undefined ? [] : ['--cpuset-cpus', cpus]),
  ]
}

/** Only the program, its options and its timeout are the test's. */
function writeHooks(site: Site): string {
  const directory = join(site.directory, 'hooks.d')
  mkdirSync(directory, { recursive: true })
  const name = '50-procveil.json'
  const entry = JSON.parse(readFileSync(new URL(`../../hooks/${name}`, import.meta.url), 'utf8'))
  entry.hook.path = EXECUTABLE
  entry.hook.args = ['procveil', ...site.options, 'hook', '--strict', '--timeout', '50']
  entry.hook.timeout = 60
  writeFileSync(join(directory, name), JSON.stringify(entry))
  return directory
}
