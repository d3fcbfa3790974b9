/** Patterns of directories below the host's root, in which `*` stands for any part of a directory's name. */

import type { Host } from '../host/host.ts'

/**
 * Returns the directories that patterns stand for. A root itself may be a symbolic link, as an operator's is to
 * another disk. A link that `*` would choose is not followed, since it would lead out of the root.
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
  return host
    .directories(path)
    .filter(name => fitsPattern(part, name))
    .map(name => join(path, name))
}

/** Whether a name is one that a part of a pattern stands for. */
export function fitsPattern(part: string, name: string): boolean {
  const [start = '', ...rest] = part.split('*')
  if (rest.length === 0) return name === part
  const end = rest.at(-1) ?? ''
  if (name.length < start.length + end.length) return false
  if (!name.startsWith(start) || !name.endsWith(end)) return false
  return holdsInOrder(name.slice(start.length, name.length - end.length), rest.slice(0, -1))
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
