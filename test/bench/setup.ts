/** Our service and containers that need no runtime, in a site of their own. Gone without a trace afterwards. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execaSync } from 'execa'
import { ENVIRONMENT } from '../../src/service/executable.ts'
import { Cleanups } from '../kit/cleanups.ts'
import { type Daemon, startDaemon } from '../kit/lxcfs.ts'
import { Site } from '../kit/site.ts'
import type { Programs } from './programs.ts'
import { SmallContainers } from './small-containers.ts'

const METRICS = 'metrics/procveil.prom'

export class Setup<Compiled extends Pick<Programs, 'fleet'> = Programs> {
  readonly site = new Site()
  readonly cleanups = new Cleanups('bench')
  readonly programs: Compiled
  #cleared: Promise<void> | undefined

  constructor(programs: Compiled) {
    this.programs = programs
    this.cleanups.add(() => this.site.remove())
  }

  /** Returns when the service answers. */
  startService(): Promise<Daemon> {
    const { executable, options, mountPoint } = this.site
    const args = [...options, 'serve']
    return startDaemon(this.cleanups, executable, args, join(mountPoint, METRICS), ENVIRONMENT)
  }

  /** They see what is mounted by now. */
  startContainers(): SmallContainers {
    const containers = new SmallContainers(this.site, this.programs.fleet)
    this.cleanups.add(() => containers.end())
    return containers
  }

  /** For a mount whose server does not take it away by itself. */
  unmountAfterwards(mountPoint: string): void {
    this.cleanups.add(() => execaSync('umount', ['-l', mountPoint], { reject: false }))
  }

  /** How many servers the mount has had. */
  countServers(): number {
    const metrics = readFileSync(join(this.site.mountPoint, METRICS), 'utf8')
    return Number(/^procveil_servers_total (\d+)/m.exec(metrics)?.[1])
  }

  /**
   * Binds a file in each container from the number `first` on. `source` is as for SmallContainers. Returns where the
   * containers have the file.
   */
  async bind(
    containers: SmallContainers,
    first: number,
    source: string,
    target: string,
  ): Promise<string> {
    const path = join(this.site.directory, 'bound', target)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
    await containers.bind(first, source, path)
    return path
  }

  /** Where the mount has a file of a container. */
  source(containers: SmallContainers, number: number | '%', file: string): string {
    return join(this.site.mountPoint, 'containers', containers.id(number), file)
  }

  /** The processes that serve, at the moment. */
  pids(): [keeper: number, server: number] {
    const [keeper, server] = [this.site.find('serve'), this.site.find('server')]
    if (keeper === undefined || server === undefined) {
      throw new Error('Cannot measure: procveil does not serve')
    }
    return [keeper, server]
  }

  clear(): Promise<void> {
    this.#cleared ??= this.cleanups.run()
    return this.#cleared
  }
}
