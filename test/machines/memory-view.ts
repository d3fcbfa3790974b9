/** Views that know a container's memory only, on SAMPLE_HOST with the cgroup files that a test gives. */

import type { Test } from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { Hugetlb } from '../../src/cgroup/hugetlb.ts'
import { type MemoryUsage, STAT_CELLS, type StatName } from '../../src/cgroup/memory.ts'
import { IoV1 } from '../../src/cgroup/v1/io.ts'
import { MemoryV1 } from '../../src/cgroup/v1/memory.ts'
import { IoV2 } from '../../src/cgroup/v2/io.ts'
import { MemoryV2 } from '../../src/cgroup/v2/memory.ts'
import { hugePageSizes } from '../../src/host/huge-page-sizes.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'
import { addBlockIo } from '../../src/view/block-io.ts'
import { type Machine, machine } from './machine.ts'
import { SAMPLE_HOST } from './sample-host.ts'

/** Paths from the machine's root, or from the memory hierarchy's when they start with a slash. */
export type Files = Readonly<Record<string, string>>

interface MemoryView extends View {
  /** What the view reads at each call. */
  machine: Machine
}

/** Of the cgroup /pod/ctr in the unified hierarchy. */
export function viewV2(t: Test, files: Files, options: Partial<Options> = {}): MemoryView {
  const host = machine(t, { ...SAMPLE_HOST, ...place('sys/fs/cgroup', files) })
  const group = new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/pod/ctr')
  return makeView(host, group, options)
}

/** Of the cgroup /pod/ctr in v1's memory hierarchy. */
export function viewV1(t: Test, files: Files, options: Partial<Options> = {}): MemoryView {
  const host = machine(t, { ...SAMPLE_HOST, ...place('sys/fs/cgroup/memory', files) })
  const group = new Group(host, { version: 1, mountPoint: 'sys/fs/cgroup/memory' }, '/pod/ctr')
  return makeView(host, group, options)
}

/** Counts of memory.stat by name. */
export function namedCounts(usage: MemoryUsage | undefined): Partial<Record<StatName, number>> {
  const named = Object.entries(STAT_CELLS).map(([name, cell]) => [name, usage?.stat[cell]])
  return Object.fromEntries(named)
}

export function place(directory: string, files: Files): Record<string, string> {
  const placed: Record<string, string> = {}
  for (const [path, text] of Object.entries(files)) {
    placed[path.startsWith('/') ? directory + path : path] = text
  }
  return placed
}

function makeView(host: Machine, group: Group, options: Partial<Options>): MemoryView {
  const reader = group.version === 1 ? new MemoryV1(group) : new MemoryV2(group)
  const hugetlb = new Hugetlb(group)
  const io = group.version === 1 ? new IoV1(group) : new IoV2(group)
  const view: Partial<MemoryView> = {
    machine: host,
    options: { ...DEFAULT_OPTIONS, ...options },
    hostFile: path => host.read(path),
    hostText: path => host.sampleBytes(path),
    memory: () => reader.read(),
    events: () => addBlockIo(reader.events(), io, host),
    hugePages: pageKib => hugetlb.read(pageKib),
    hugePageSizes: () => hugePageSizes(host),
  }
  return view as MemoryView
}

/** Of a process in no memory cgroup. */
export function viewOfHost(t: Test): View {
  const host = machine(t, SAMPLE_HOST)
  const view: Partial<View> = {
    options: DEFAULT_OPTIONS,
    hostFile: path => host.read(path),
    hostText: path => host.sampleBytes(path),
    memory: () => undefined,
  }
  return view as View
}
