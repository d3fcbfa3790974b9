/**
 * All that is compared, in one container with one set of limits: the kernel's own procfs, the floor, Debian's lxcfs
 * and procveil. Gone without a trace afterwards.
 */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { Box, bindMount, type Mount } from '../e2e/box.ts'
import { retry } from '../e2e/requirements.ts'
import { Site } from '../e2e/site.ts'
import { Client } from './client.ts'
import { compile, type Programs } from './programs.ts'

/** In the order of the tables. */
export const FILES = [
  'meminfo',
  'stat',
  'cpuinfo',
  'uptime',
  'loadavg',
  'diskstats',
  'partitions',
  'swaps',
]

export type TargetName = 'native' | 'floor' | 'lxcfs' | 'procveil'

export interface Target {
  name: TargetName
  /** Where the container finds the files. */
  root: string
  /** Processes that serve it. */
  pids(): number[]
  /** Files that it does not have. */
  lacks?: readonly string[]
}

export const LIMITS = { memoryBytes: 64 * 2 ** 20, cpus: '0-1', quotaUsec: 150_000 }

/** What every lxcfs makes for its own cgroup mounts; no option moves it. */
const LXCFS_RUN = ['/run/lxcfs/controllers', '/run/lxcfs/root', '/run/lxcfs']

let boxes = 0

export class Stage {
  readonly site = new Site()
  readonly #cleanups: (() => unknown)[] = [() => this.site.remove()]
  programs!: Programs
  box!: Box
  client!: Client
  targets!: readonly Target[]

  async build(): Promise<void> {
    const { directory } = this.site
    this.programs = await compile(join(directory, 'programs'))
    const lxcfs = await this.#startLxcfs(join(directory, 'lxcfs'))
    const floor = await this.#startFloor(join(directory, 'floor'))
    await this.#enter([
      bindMount(join(directory, 'programs'), '/bench'),
      bindMount(join(directory, 'lxcfs'), '/lxcfs'),
      bindMount(join(directory, 'floor'), '/floor'),
      { destination: '/native', type: 'proc', source: 'proc' },
    ])
    this.targets = [
      { name: 'native', root: '/native', pids: () => [] },
      { name: 'floor', root: '/floor', pids: () => [floor] },
      { name: 'lxcfs', root: '/lxcfs/proc', pids: () => [lxcfs], lacks: ['partitions'] },
      { name: 'procveil', root: '/proc', pids: () => [this.server()] },
    ]
  }

  /** Without rivals: another service with one container. */
  async another(): Promise<Stage> {
    const other = new Stage()
    this.#cleanups.push(() => other.clear())
    other.programs = this.programs
    await other.#enter([bindMount(join(this.site.directory, 'programs'), '/bench')])
    other.targets = [{ name: 'procveil', root: '/proc', pids: () => [other.server()] }]
    return other
  }

  async #enter(mounts: readonly Mount[]): Promise<void> {
    this.box = await this.startBox({ mounts })
    this.client = new Client([...this.box.inside, '/bench/reader'])
    this.#cleanups.push(() => this.client.end())
  }

  /** Takes a mount away that nobody serves. */
  unmount(): void {
    for (const mountPoint of this.site.hostMounts()) execaSync('umount', ['-l', mountPoint])
  }

  /** The process that answers for procveil. */
  server(): number {
    const pid = this.site.find('server')
    if (pid === undefined) throw new Error('Cannot measure: procveil does not serve')
    return pid
  }

  async startBox(options: ConstructorParameters<typeof Box>[2] = {}): Promise<Box> {
    const box = this.makeBox(options)
    await box.start()
    return box
  }

  /** One that is not started yet. */
  makeBox(options: ConstructorParameters<typeof Box>[2] = {}): Box {
    const box = new Box(this.site, `bench-${process.pid}-${boxes++}`, { ...LIMITS, ...options })
    this.#cleanups.push(() => box.remove())
    return box
  }

  async #startLxcfs(mountPoint: string): Promise<number> {
    const made = LXCFS_RUN.filter(path => !existsSync(path))
    this.#cleanups.push(() => made.filter(path => existsSync(path)).map(path => rmdirSync(path)))
    mkdirSync(mountPoint)
    const args = ['-f', '-l', '-p', `${mountPoint}.pid`, mountPoint]
    return this.#daemon('lxcfs', args, join(mountPoint, 'proc/uptime'))
  }

  /** Serves what a container of procveil sees, so that as many bytes are moved. */
  async #startFloor(mountPoint: string): Promise<number> {
    const texts = `${mountPoint}-texts`
    mkdirSync(mountPoint)
    mkdirSync(texts)
    const box = await this.startBox()
    for (const file of FILES)
      writeFileSync(join(texts, file), `${await box.cat(`/proc/${file}`)}\n`)
    const paths = FILES.map(file => join(texts, file))
    return this.#daemon(this.programs.floor, [mountPoint, ...paths], join(mountPoint, 'uptime'))
  }

  /** Starts what serves a file, and waits for that. Returns its pid. */
  async #daemon(program: string, args: readonly string[], file: string): Promise<number> {
    const daemon = spawn(program, args, { stdio: 'ignore' })
    const ended = new Promise(resolve => daemon.on('exit', resolve))
    const mountPoint = args.find(arg => file.startsWith(`${arg}/`)) ?? ''
    this.#cleanups.push(async () => {
      execaSync('umount', ['-l', mountPoint], { reject: false })
      daemon.kill()
      await ended
    })
    await retry(() => statSync(file))
    return daemon.pid ?? 0
  }

  async clear(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      try {
        await cleanup()
      } catch (error) {
        process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`)
        process.exitCode = 1
      }
    }
  }
}
