/**
 * Finds the containers that run here, whoever started them. They are found in the state that each runtime keeps in
 * files; a pid alone is not believed, and no daemon is asked where the files say enough.
 */

import { dirname } from 'node:path'
import { isId } from '../container/container.ts'
import type { Host } from '../host/host.ts'
import type { Claim, Running } from './claim.ts'
import { findContainerd } from './containerd.ts'
import { findCrio, findPodman } from './containers-storage.ts'
import { cutClaim, Room } from './cut.ts'
import { findDocker } from './docker.ts'
import { type AskIsula, askIsula, findIsulad } from './isulad.ts'
import { findLxc } from './lxc.ts'
import { mergeClaims } from './merge.ts'
import { findMachines } from './nspawn.ts'
import { findOci } from './oci.ts'
import { prove } from './proof.ts'
import { expandRoots } from './roots.ts'

/**
 * Finds the claims of one runtime. A finder leaves out what it cannot read or understand, and never throws. `ask` is
 * how iSulad is asked. It may save the look at containers that are not wanted.
 */
type Finder = (
  host: Host,
  roots: readonly string[],
  ask: AskIsula,
  isWanted: (id: string) => boolean,
) => Iterable<Claim>

interface Runtime {
  name: string
  /** Where the runtime keeps its state by default. run/user/UID is the XDG_RUNTIME_DIR of a user. */
  roots: readonly string[]
  find: Finder
}

/** The runtimes by rank: of several that know one container, the uppermost one gives the name that users know. */
const RUNTIMES: readonly Runtime[] = [
  {
    name: 'docker',
    roots: [
      'var/lib/docker',
      'var/snap/docker/common/var-lib-docker',
      'home/*/.local/share/docker',
    ],
    find: findDocker,
  },
  {
    name: 'podman',
    // These are the run roots and graph roots of containers-storage.conf(5).
    roots: [
      'run/containers/storage',
      'var/lib/containers/storage',
      'run/user/*/containers',
      'home/*/.local/share/containers/storage',
    ],
    find: findPodman,
  },
  {
    name: 'cri-o',
    roots: ['run/containers/storage', 'var/lib/containers/storage'],
    find: findCrio,
  },
  { name: 'isulad', roots: ['run/isulad', 'var/lib/isulad'], find: findIsulad },
  {
    name: 'containerd',
    roots: [
      'run/containerd',
      'run/k3s/containerd',
      'run/docker/containerd/daemon',
      'run/user/*/containerd',
      'run/user/*/docker/containerd/daemon',
    ],
    find: findContainerd,
  },
  {
    name: 'lxc',
    roots: ['var/lib/lxc', 'run/incus', 'var/log/lxd', 'var/snap/lxd/common/lxd/logs'],
    find: findLxc,
  },
  { name: 'nspawn', roots: ['run/systemd/machines'], find: findMachines },
  { name: 'youki', roots: ['run/youki', 'run/user/*/youki'], find: findOci },
  { name: 'crun', roots: ['run/crun', 'run/user/*/crun'], find: findOci },
  {
    name: 'runc',
    // The directory that docker gives its runtimes is runtime-runc, whatever their name.
    roots: [
      'run/runc',
      'run/containerd/runc/*',
      'run/docker/runtime-*/*',
      'run/user/*/runc',
      'run/user/*/docker/runtime-*/*',
    ],
    find: findOci,
  },
]

export const RUNTIME_NAMES: readonly string[] = RUNTIMES.map(({ name }) => name)

/** Where to look for the state of one runtime: patterns of directories below the host's root. */
export interface Search {
  runtime: string
  roots: readonly string[]
  /** The one container that is looked for; all where it is missing. */
  only?: string
}

/** What was found at one place, before anything is proven. */
export interface Found {
  runtime: string
  claims: readonly Claim[]
  /** Whether there is more than can be told. */
  isCut?: true
}

/** The directories whose entries belong to users: what lies below may lead anywhere, and hang. */
const OF_USERS = ['run/user', 'home']

const isOfUsers = (root: string) => OF_USERS.some(base => root.startsWith(`${base}/*/`))

/** The places that root alone writes to by default. */
export function systemSearches(): Search[] {
  return RUNTIMES.map(({ name, roots }) => ({
    runtime: name,
    roots: roots.filter(root => !isOfUsers(root)),
  }))
}

/** The directories that users have, such as `run/user/1000` and `home/anna`. */
export function findUserDirectories(host: Host): string[] {
  return OF_USERS.flatMap(base => host.directories(base).map(name => `${base}/${name}`))
}

/** The default places below the directory of one user. */
export function userSearches(directory: string): Search[] {
  const base = dirname(directory)
  return RUNTIMES.map(({ name, roots }) => ({
    runtime: name,
    roots: roots
      .filter(root => root.startsWith(`${base}/*/`))
      .map(root => `${directory}${root.slice(base.length + 2)}`),
  })).filter(({ roots }) => roots.length > 0)
}

/**
 * Looks at the places. This may take as long as a file system there likes. What is found is cut, since it is one answer
 * of a worker, and where that has no room for more the search ends.
 */
export function findClaims(
  host: Host,
  searches: readonly Search[],
  ask: AskIsula = askIsula,
): Found[] {
  const room = new Room()
  const found: Found[] = []
  for (const { runtime, roots, only } of searches) {
    const isWanted = (id: string) => only === undefined || id === only
    const find = RUNTIMES.find(({ name }) => name === runtime)?.find
    const expanded = expandRoots(host, roots)
    if (find === undefined || expanded.length === 0) continue
    const claims: Claim[] = []
    for (const whole of find(host, expanded, ask, isWanted)) {
      if (!isId(whole.id) || !isWanted(whole.id)) continue
      const claim = cutClaim(whole)
      if (!room.take(claim)) return [...found, { runtime, claims, isCut: true }]
      claims.push(claim)
    }
    if (claims.length > 0) found.push({ runtime, claims })
  }
  return found
}

/** Returns each container once, sorted by id; an id comes twice where two runtimes use it. */
export function judgeClaims(host: Host, found: readonly Found[]): Running[] {
  // The last runtime comes first: of two claims of one rank the first counts, and containerd's of a docker container
  // says more.
  const rank = ({ runtime }: Found) => -RUNTIME_NAMES.indexOf(runtime)
  const claims = found.toSorted((a, b) => rank(a) - rank(b)).flatMap(each => each.claims)
  return mergeClaims(prove(host, claims), RUNTIME_NAMES)
}
