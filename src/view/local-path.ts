/**
 * Follows a path that somebody else chose, on the host, without asking any file system that could make us wait. Each
 * directory is held open, and before a name is looked up in it the kernel says which mount it is on: a mount that is
 * put somewhere meanwhile is seen, and a symbolic link is followed in the same way. Opening a mount point is enough to
 * have NFS ask its server, so the list of mounts is looked at before.
 */

import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { type Host, orUndefined } from '../host/host.ts'
import { type Mount, MountTree, parseMounts } from '../host/mountinfo.ts'
import { mountIdOf, O_PATH } from '../host/open-path.ts'

/** The kernel itself follows 40. */
const MOST_LINKS = 8

/**
 * Calls `use` with an O_PATH descriptor of `path` and with the mount that it is on. Returns `undefined` where there is
 * no such path, or a part of it is on a mount for which `isLocal` is false.
 */
export function withLocalPath<T>(
  host: Host,
  path: string,
  isLocal: (mount: Mount) => boolean,
  use: (fd: number, mount: Mount) => T,
): T | undefined {
  const tree = new MountTree(parseMounts(host.tryRead('proc/self/mountinfo') ?? ''))
  const local = new Map(tree.mounts.filter(isLocal).map(mount => [mount.id, mount]))
  const mayEnter = (place: string) => {
    const mount = tree.find(place)
    return mount === undefined || local.has(mount.id)
  }
  let names = namesOf(path)
  for (let links = 0; links <= MOST_LINKS; links++) {
    const ended = orUndefined(() => walk(host.path(''), names, { local, mayEnter }, use))
    if (ended === undefined || 'result' in ended) return ended?.result
    names = ended.names
  }
  return undefined
}

/** What became of a walk: a result, or other names to begin again with, where a link was met. */
type Walked<T> = { result: T | undefined } | { names: string[] }

interface Mounts {
  local: ReadonlyMap<number, Mount>
  /** Whether what is mounted on the place, if anything, is local. */
  mayEnter: (place: string) => boolean
}

function walk<T>(
  root: string,
  names: readonly string[],
  { local, mayEnter }: Mounts,
  use: (fd: number, mount: Mount) => T,
): Walked<T> {
  let fd = openSync(root, O_PATH)
  try {
    for (const [at, name] of names.entries()) {
      const isLocal = local.has(mountIdOf(fd))
      if (!isLocal || !mayEnter(`/${names.slice(0, at + 1).join('/')}`))
        return { result: undefined }
      const child = `/proc/self/fd/${fd}/${name}`
      const target = orUndefined(() => readlinkSync(child))
      if (target !== undefined) {
        const above = target.startsWith('/') ? [] : names.slice(0, at)
        return { names: namesOf([...above, target, ...names.slice(at + 1)].join('/')) }
      }
      const next = openSync(child, O_PATH | constants.O_NOFOLLOW)
      closeSync(fd)
      fd = next
    }
    const mount = local.get(mountIdOf(fd))
    return { result: mount && use(fd, mount) }
  } finally {
    closeSync(fd)
  }
}

/** What stands before `..` is no link: the walk has replaced those. */
function namesOf(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}
