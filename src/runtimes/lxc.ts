/**
 * LXC, LXD and Incus: no file has a pid, but the cgroup of a container is named after it: lxc.container.conf(5). The
 * init is the process in that cgroup that is 1 in its own pid namespace.
 */

import { readHierarchies } from '../cgroup/hierarchy.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { absoluteOf, countOf } from '../host/json.ts'
import { parsePids } from '../host/proc-pid.ts'
import type { Claim } from './claim.ts'
import { readOwner, readStateFile } from './state-file.ts'

const PAYLOAD = 'lxc.payload.'
/** The cgroup in which LXC before 4.0 puts its containers. */
const OLD_PARENT = 'lxc'
/**
 * The cgroup of a container is at most this deep:
 * user.slice/user-1000.slice/user@1000.service/app.slice/NAME.scope/lxc.payload.NAME
 */
const MAX_DEPTH = 6
/** How many cgroups and processes of one container are looked at, and how much of one list of processes is read. */
const MOST_GROUPS = 2000
const MOST_PROCESSES = 5000
const MOST_PROCS_BYTES = 64 * 1024
const CONFIG_NAMES = ['config', 'lxc.conf']

export function* findLxc(host: Host, roots: readonly string[]): Generator<Claim> {
  for (const mountPoint of mountPoints(host)) {
    for (const { path, id } of payloads(host, mountPoint, 0)) {
      const pid = findInit(host, path)
      // The owner is who could have made the cgroup: a user may have part of the tree.
      const ownerUid = readOwner(host, path)
      if (pid === undefined || ownerUid === undefined) continue
      yield {
        runtime: 'lxc',
        id,
        pid,
        startTicks: undefined,
        name: undefined,
        rootfs: readRootfs(host, roots, id),
        annotations: {},
        ownerUid,
      }
    }
  }
}

/**
 * Returns the mount points of several hierarchies. One would do, but which ones LXC uses depends on the host's layout
 * and on LXC's configuration.
 */
function mountPoints(host: Host): Set<string> {
  if (!host.has('proc/self/mountinfo')) return new Set()
  const hierarchies = readHierarchies(host)
  const found = ['', 'name=systemd', 'memory'].map(name => hierarchies.get(name)?.mountPoint)
  return new Set(found.filter(path => path !== undefined))
}

/** Finds the payloads, and does not look below them: a container names the cgroups there by itself. */
function* payloads(
  host: Host,
  directory: string,
  depth: number,
): Generator<{ path: string; id: string }> {
  for (const name of host.directories(directory)) {
    const path = `${directory}/${name}`
    if (name.startsWith(PAYLOAD)) {
      yield { path, id: name.slice(PAYLOAD.length) }
    } else if (name === OLD_PARENT) {
      for (const id of host.directories(path)) yield { path: `${path}/${id}`, id }
    } else if (depth < MAX_DEPTH) {
      yield* payloads(host, path, depth + 1)
    }
  }
}

/**
 * Returns the pid of a container's init, which is among the first processes that are listed. A container inside this
 * one has an init too, in one more pid namespace.
 */
function findInit(host: Host, directory: string): number | undefined {
  let init: number | undefined
  let depth = Infinity
  let left = MOST_PROCESSES
  for (const pid of processes(host, directory)) {
    if (left-- === 0) break
    const status = host.tryRead(`proc/${pid}/status`) ?? ''
    const pids = parsePids(status) ?? []
    if (pids.length < 2 || pids.length >= depth || pids.at(-1) !== 1) continue
    init = pid
    depth = pids.length
    if (depth === 2) break
  }
  return init
}

function* processes(host: Host, directory: string): Generator<number> {
  const directories = [directory]
  for (let i = 0; i < directories.length && i < MOST_GROUPS; i++) {
    const path = directories[i] as string
    const procs = `${path}/cgroup.procs`
    const text = orUndefined(() => host.readBeginning(procs, MOST_PROCS_BYTES).text) ?? ''
    yield* text.split('\n').flatMap(line => countOf(line) ?? [])
    for (const name of host.directories(path)) directories.push(`${path}/${name}`)
  }
}

/**
 * Returns `lxc.rootfs.path`, which may begin with the kind of storage. Only the kind `dir` is a directory on the host.
 */
function readRootfs(host: Host, roots: readonly string[], id: string): string | undefined {
  for (const root of roots) {
    for (const name of CONFIG_NAMES) {
      const text = readStateFile(host, `${root}/${id}/${name}`)?.text ?? ''
      const path = /^\s*lxc\.rootfs(?:\.path)?\s*=\s*(?:dir:)?(\/.*?)\s*$/m.exec(text)?.[1]
      if (path !== undefined) return absoluteOf(path)
    }
  }
  return undefined
}
