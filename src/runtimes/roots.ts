/**
 * Where each runtime keeps its state, below the host's root. `*` stands for any part of a directory's name.
 */

import type { Host } from '../host/host.ts'

export interface Roots {
  [runtime: string]: readonly string[]
}

/** Under run/user/UID is what each user's XDG_RUNTIME_DIR holds: runtimes without root. */
export const DEFAULT_ROOTS: Roots = {
  // The directory that docker gives its runtimes is runtime-runc, whatever their name.
  runc: [
    'run/runc',
    'run/containerd/runc/*',
    'run/docker/runtime-*/*',
    'run/user/*/runc',
    'run/user/*/docker/runtime-*/*',
  ],
  crun: ['run/crun', 'run/user/*/crun'],
  youki: ['run/youki', 'run/user/*/youki'],
  containerd: [
    'run/containerd',
    'run/k3s/containerd',
    'run/docker/containerd/daemon',
    'run/user/*/containerd',
    'run/user/*/docker/containerd/daemon',
  ],
  docker: ['var/lib/docker', 'var/snap/docker/common/var-lib-docker', 'home/*/.local/share/docker'],
  // The run root and the graph root of containers-storage.conf(5).
  podman: [
    'run/containers/storage',
    'var/lib/containers/storage',
    'run/user/*/containers',
    'home/*/.local/share/containers/storage',
  ],
  'cri-o': ['run/containers/storage', 'var/lib/containers/storage'],
  isulad: ['run/isulad', 'var/lib/isulad'],
  lxc: ['var/lib/lxc', 'run/incus', 'var/log/lxd', 'var/snap/lxd/common/lxd/logs'],
  nspawn: ['run/systemd/machines'],
}

/**
 * The directories that patterns stand for. A root itself may be a symbolic link, as an operator's is to another
 * disk; where `*` chooses it is not followed, since it would lead out of the root.
 */
export function expandRoots(host: Host, patterns: readonly string[]): string[] {
  return [...new Set(patterns.flatMap(pattern => expand(host, pattern)))]
}

function expand(host: Host, pattern: string): string[] {
  let paths = ['']
  for (const part of pattern.split('/').filter(each => each !== '' && each !== '.')) {
    if (part === '..') return []
    paths = part.includes('*')
      ? paths.flatMap(path => matches(host, path, part))
      : paths.map(path => join(path, part))
  }
  return paths
}

function matches(host: Host, path: string, part: string): string[] {
  const [start = '', ...rest] = part.split('*')
  const end = rest.at(-1) ?? ''
  const middles = rest.slice(0, -1)
  return host
    .directories(path)
    .filter(name => name.length >= start.length + end.length)
    .filter(name => name.startsWith(start) && name.endsWith(end))
    .filter(name => holdsInOrder(name.slice(start.length, name.length - end.length), middles))
    .map(name => join(path, name))
}

function holdsInOrder(text: string, parts: readonly string[]): boolean {
  let position = 0
  for (const part of parts) {
    const found = text.indexOf(part, position)
    if (found < 0) return false
    position = found + part.length
  }
  return true
}

const join = (path: string, name: string) => (path === '' ? name : `${path}/${name}`)
