/**
 * All that is compared, in one container with one set of limits: the kernel's own procfs, the floor, Debian's lxcfs
 * and procveil. Gone without a trace afterwards.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execaSync } from 'execa'
import { Box } from '../kit/box.ts'
import { Cleanups } from '../kit/cleanups.ts'
import { type Daemon, startDaemon, startLxcfs } from '../kit/lxcfs.ts'
import { bindMount, type Mount } from '../kit/runc-config.ts'
import { Site } from '../kit/site.ts'
import { Client } from './client.ts'
import type { Programs } from './programs.ts'

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

const LIMITS = { memoryBytes: 64 * 2 ** 20, cpus: '0-1', quotaUsec: 150_000 }

let boxes = 0

export class Stage {
  readonly site = new Site()
  readonly #cleanups = new Cleanups('bench')
  readonly programs: Programs
  box!: Box
  client!: Client
  targets!: readonly Target[]

  constructor(programs: Programs) {
    this.programs = programs
    this.#cleanups.add(() => this.site.remove())
  }

  async build(): Promise<void> {
    const { directory } = this.site
    const lxcfs = await startLxcfs(this.#cleanups, join(directory, 'lxcfs'))
    const floor = await this.#startFloor(join(directory, 'floor'))
    await this.#enter([
      this.#bindPrograms(),
      bindMount(join(directory, 'lxcfs'), '/lxcfs'),
      bindMount(join(directory, 'floor'), '/floor'),
      { destination: '/native', type: 'proc', source: 'proc' },
    ])
    this.targets = [
      { name: 'native', root: '/native', pids: () => [] },
      { name: 'floor', root: '/floor', pids: () => [floor.pid] },
      { name: 'lxcfs', root: '/lxcfs/proc', pids: () => [lxcfs.pid], lacks: ['partitions'] },
      { name: 'procveil', root: '/proc', pids: () => [this.server()] },
    ]
  }

  /** Without rivals: another service with one container. */
  async another(): Promise<Stage> {
    const other = new Stage(this.programs)
    this.#cleanups.add(() => other.clear())
    await other.#enter([this.#bindPrograms()])
    other.targets = [{ name: 'procveil', root: '/proc', pids: () => [other.server()] }]
    return other
  }

  #bindPrograms(): Mount {
    return bindMount(dirname(this.programs.reader), '/bench')
  }

  async #enter(mounts: readonly Mount[]): Promise<void> {
    this.box = await this.startBox({ mounts })
    this.client = new Client([...this.box.inside, '/bench/reader'])
    this.#cleanups.add(() => this.client.end())
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
    this.#cleanups.add(() => box.remove())
    return box
  }

  /** Serves what a container of procveil sees, so that as many bytes are moved. */
  async #startFloor(mountPoint: string): Promise<Daemon> {
    const texts = `${mountPoint}-texts`
    mkdirSync(mountPoint)
    mkdirSync(texts)
    const box = await this.startBox()
    for (const file of FILES)
      writeFileSync(join(texts, file), `${await box.cat(`/proc/${file}`)}\n`)
    const paths = FILES.map(file => join(texts, file))
    return this.serve(this.programs.floor, [mountPoint, ...paths], mountPoint, 'uptime')
  }

  /** Starts a program that mounts itself at `mountPoint`, where `file` then is. */
  async serve(
    program: string,
    args: readonly string[],
    mountPoint: string,
    file: string,
  ): Promise<Daemon> {
    const daemon = await startDaemon(this.#cleanups, program, args, join(mountPoint, file))
    this.#cleanups.add(() => execaSync('umount', ['-l', mountPoint], { reject: false }))
    return daemon
  }

  clear(): Promise<void> {
    return this.#cleanups.run()
  }
}
