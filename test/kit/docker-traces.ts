/** What dockerd and its containerd leave outside of their folders. */

import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const SHIM_SOCKETS = '/run/containerd/s'

/** What holds another comes after it. */
const TRACES = [
  '/etc/docker/key.json',
  '/etc/docker',
  '/opt/containerd/bin',
  '/opt/containerd/lib',
  '/opt/containerd',
  SHIM_SOCKETS,
  '/run/containerd',
  '/run/docker/plugins',
  '/run/docker',
]

/** Those that are not there when it is made. */
export class DockerTraces {
  readonly #paths = [...TRACES, ...dockerCgroups()].filter(path => !existsSync(path))
  readonly #earlierSockets = listSockets()

  left(): string[] {
    return [...this.#paths.filter(path => existsSync(path)), ...this.#leftSockets()]
  }

  /** Throws when something cannot be removed yet. */
  remove(): void {
    for (const path of this.#leftSockets()) rmSync(path, { force: true })
    for (const path of this.#paths) removeTrace(path)
    const left = this.left()
    if (left.length > 0) throw new Error(`Cannot remove ${left.join(' ')} yet`)
  }

  /** Where a shim that was killed listened. */
  #leftSockets(): string[] {
    const open = readFileSync('/proc/net/unix', 'utf8')
    return listSockets().filter(
      path => !this.#earlierSockets.includes(path) && !open.includes(path),
    )
  }
}

/** Where containers are put, in each hierarchy. */
function dockerCgroups(): string[] {
  const root = '/sys/fs/cgroup'
  const below = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return [root, ...below.map(({ name }) => join(root, name))]
    .filter(directory => existsSync(join(directory, 'cgroup.procs')))
    .map(directory => join(directory, 'docker'))
}

function listSockets(): string[] {
  if (!existsSync(SHIM_SOCKETS)) return []
  return readdirSync(SHIM_SOCKETS).map(name => join(SHIM_SOCKETS, name))
}

/** A folder only when it is empty: it may have become another's too. */
function removeTrace(path: string): void {
  try {
    if (path.endsWith('.json')) rmSync(path, { force: true })
    else rmdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error
  }
}
