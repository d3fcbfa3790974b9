/** Containers for the operations' tests: one called `box`, in slot 5, whose files all say "text". */

import type { Backend } from '../../src/filesystem/backend.ts'
import { Handles } from '../../src/filesystem/handles.ts'
import { isNumbered, type Node } from '../../src/filesystem/node-numbers.ts'
import type { Texts } from '../../src/filesystem/saved-texts.ts'
import { Sysfs } from '../../src/filesystem/sysfs.ts'
import { slotOf } from '../../src/filesystem/tree.ts'
import type { Entries } from '../../src/host/kept-entries.ts'
import { FILES } from '../../src/proc/files.ts'
import { TestClock } from '../machines/machine.ts'

/** Texts of handles, in memory. */
export function memoryTexts(): Texts {
  const texts = new Map<number, Buffer>()
  return {
    save: (fh, _slot, text) => void texts.set(fh, Buffer.from(text)),
    load: fh => texts.get(fh),
    remove: fh => void texts.delete(fh),
  }
}

/** Numbers from `first` on. */
export function numbersFrom(first: number) {
  let next = first
  return { first, take: () => next++ }
}

/** The first number of what is in directories of sysfs. */
export const FIRST_NODE = 2 ** 52 + 2 ** 32

export type Nodes = Backend['nodes']

/** Numbers of nodes from FIRST_NODE on, in memory. */
export function memoryNodes(): Nodes {
  const nodes: Node[] = []
  const numbers = new Map<string, number>()
  return {
    find: nodeid => nodes[nodeid - FIRST_NODE],
    slotOf: nodeid => nodes[nodeid - FIRST_NODE]?.slot,
    numberOf: (slot, path) => {
      const key = `${slot} ${path}`
      const number = numbers.get(key) ?? FIRST_NODE + nodes.length
      if (!numbers.has(key)) nodes.push({ slot, path })
      numbers.set(key, number)
      return number
    },
  }
}

export const slotOfAny = (nodes: Nodes) => (nodeid: number) =>
  isNumbered(nodeid) ? (nodes.slotOf(nodeid) ?? 0) : slotOf(nodeid)

/** A host's sysfs by path: a text is a file's, one that begins with `->` a link's, and a number an errno of reading. */
export const SYSFS: Readonly<Record<string, string | number>> = {
  'sys/devices/system/cpu/online': '0-1\n',
  'sys/devices/system/cpu/kernel_max': '8191\n',
  'sys/devices/system/cpu/cpu0/topology/core_id': '0\n',
  'sys/devices/system/cpu/cpu0/node0': '-> ../../node/node0',
  'sys/devices/system/cpu/cpu1/topology/core_id': '1\n',
  'sys/devices/system/cpu/cpu1/busy': -16,
  'sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count': '7\n',
}

/** Only root may read what ends with one of these. */
const OF_ROOT = /crash_notes$|probe$|secret$/

export function fakeEntries(tree: Readonly<Record<string, string | number>>): Entries {
  const isBelow = (path: string) => Object.keys(tree).some(each => each.startsWith(`${path}/`))
  const isLink = (value: string | number | undefined) => `${value}`.startsWith('-> ')
  return {
    entry: path => {
      const value = tree[path]
      if (value === undefined) return isBelow(path) ? { kind: 'directory', mode: 0o755 } : undefined
      if (isLink(value)) return { kind: 'link', mode: 0o777 }
      return { kind: 'file', mode: OF_ROOT.test(path) ? 0o600 : 0o644 }
    },
    list: path => {
      const below = Object.keys(tree).filter(each => each.startsWith(`${path}/`))
      return [...new Set(below.map(each => each.slice(path.length + 1).split('/')[0] ?? ''))].sort()
    },
    text: path => {
      const value = tree[path]
      return typeof value === 'string' ? Buffer.from(value) : (value ?? -2)
    },
    link: path => (isLink(tree[path]) ? `${tree[path]}`.slice(3) : undefined),
  }
}

/** `failed` is called where a view cannot be shown. */
export function fakeSysfs(
  tree = SYSFS,
  failed = (path: string, cause: unknown): void => {
    throw new Error(`Cannot show ${path}`, { cause })
  },
): Sysfs {
  return new Sysfs({
    entries: fakeEntries(tree),
    guard: { begin: () => true, end: () => {} },
    failed,
  })
}

export const BOX_SLOT = 5
export const HOST_PID = 1234

export interface FakeBackend extends Backend {
  clock: TestClock
  text: string
  /** Lookups that the kernel holds, by slot. */
  held: Map<number, number>
}

export function fakeBackend(): FakeBackend {
  const clock = new TestClock()
  const held = new Map<number, number>()
  const nodes = memoryNodes()
  const backend: FakeBackend = {
    clock,
    held,
    text: 'text\n',
    handles: new Handles(numbersFrom(0), clock, memoryTexts(), slotOfAny(nodes)),
    nodes,
    sysfs: fakeSysfs(),
    mountTime: 200_000,
    offered: new Set(FILES),
    findSlot: id => (id === 'box' ? BOX_SLOT : undefined),
    ids: () => ['box', 'damaged'],
    ofSlot: () => undefined,
    ofCaller: () => undefined,
    retain: slot => held.set(slot, (held.get(slot) ?? 0) + 1),
    release: (slot, lookups) => held.set(slot, (held.get(slot) ?? 0) - lookups),
    isHostRoot: (pid, uid) => pid === HOST_PID && uid === 0,
    render: () => Buffer.from(backend.text),
    isAwaited: () => false,
    isInLoop: () => false,
    prepare: () => {},
    count: () => {},
    metrics: () => Buffer.from('metrics\n'),
  }
  return backend
}
