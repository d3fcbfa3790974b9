/** `procveil watch` on a test's own directories: it sees no runtime's usual ones, nor anybody else's containers. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { execa } from 'execa'
import type { Test } from 'tap'
import { retry } from './requirements.ts'
import { COVERS, type Site } from './site.ts'

export class Watching {
  readonly #site: Site
  readonly #process: ReturnType<typeof start>

  constructor(site: Site, roots: readonly string[], prepare: readonly string[]) {
    this.#site = site
    this.#process = start(site, roots, prepare)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Resolves when it watches. */
  async ready(): Promise<this> {
    const said = `watch[${this.pid}] info: watches`
    await retry(() => {
      if (this.#process.exitCode !== null) throw new Error(`Cannot watch: ${this.#site.readLog()}`)
      if (!this.#site.readLog().includes(said)) throw new Error('Cannot find that it watches')
    })
    return this
  }

  /** Ends it by a signal, and returns what it has said on stdout. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<string> {
    this.#process.kill(signal)
    return (await this.#process).stdout
  }

  /** How many directories the kernel watches for it. */
  watches(): number {
    const fds = `/proc/${this.pid}/fd`
    const fd = readdirSync(fds).find(each => linkOf(`${fds}/${each}`) === 'anon_inode:inotify')
    const info = readFileSync(`/proc/${this.pid}/fdinfo/${fd}`, 'utf8')
    return info.match(/^inotify wd:/gm)?.length ?? 0
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }
}

/** A descriptor may be closed while they are listed. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function start(site: Site, roots: readonly string[], prepare: readonly string[]) {
  const script = [...COVERS, ...prepare, 'exec "$@"'].join(' && ')
  const args = roots.flatMap(root => ['--runtime-root', root])
  const command = [site.executable, ...site.options, 'watch', ...args]
  const options = { reject: false, stdin: 'ignore', stderr: 'inherit' } as const
  return execa('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command], options)
}

/** Started beside a service that runs, and ended with the test. */
export async function watching(
  t: Test,
  site: Site,
  roots: readonly string[],
  prepare: readonly string[] = [],
): Promise<Watching> {
  // A service that it started would see its own directories alone.
  await site.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  const made = new Watching(site, roots, prepare)
  t.teardown(() => made.end())
  return made.ready()
}
