/** A container's view of a host in memory, and what it says of every file. */

import { Groups } from '../../src/cgroup/groups.ts'
import { FILES } from '../../src/proc/files.ts'
import { type FindKept, keptHere } from '../../src/proc/kept.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import { ContainerView } from '../../src/view/container-view.ts'
import type { Subject } from '../../src/view/subject.ts'
import { type Files, MemoryHost } from './memory-host.ts'
import { cgroupPaths, cgroupText, hierarchiesOf, type Tree, treeFiles } from './trees.ts'

const PID = 4242
const START_TICKS = 100_000

/** The init runs, and its root directory is on the first partition of 8:0. */
export function initFiles(tree: Tree): Files {
  return {
    [`proc/${PID}/stat`]: `${PID} (init) S 1${' 0'.repeat(17)} ${START_TICKS} 0\n`,
    [`proc/${PID}/cgroup`]: cgroupText(tree),
    [`proc/${PID}/mountinfo`]: '61 60 8:1 / / rw - ext4 /dev/sda1 rw\n',
    'sys/dev/block/8:1/partition': '1\n',
    'sys/dev/block/8:1/../dev': '8:0\n',
  }
}

export interface Container {
  host: MemoryHost
  view: ContainerView
}

/** All files at first, in layers that containers may share. */
export const filesOf = (machine: Files, tree: Tree): Files[] => [
  machine,
  initFiles(tree),
  treeFiles(tree),
]

export function openContainer(
  machine: Files,
  tree: Tree,
  options: Partial<Options> = {},
): Container {
  return openOn(filesOf(machine, tree), tree, options)
}

/** `files` are those of `filesOf`, for the same tree. */
export function openOn(files: Files[], tree: Tree, options: Partial<Options> = {}): Container {
  const host = new MemoryHost(...files)
  return { host, view: viewOf(host, tree, options) }
}

export function viewOf(
  host: MemoryHost,
  tree: Tree,
  options: Partial<Options>,
  kept: FindKept = keptHere(),
): ContainerView {
  const subject: Subject = {
    cgroups: cgroupPaths(tree),
    pid: PID,
    startTicks: START_TICKS,
    rootMount: 61,
    kept,
  }
  const all = { ...DEFAULT_OPTIONS, ...options }
  return new ContainerView({
    groups: new Groups(host, hierarchiesOf(tree.kind)),
    subject,
    options: all,
  })
}

/** Texts by path, of those files that the host has: all, or `some`. */
export function renderAll({ host, view }: Container, some?: RegExp): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { path, render } of FILES) {
    if (some?.test(path) === false) continue
    if (host.tryRead(path) !== undefined) texts.set(path, render(view).toString())
  }
  return texts
}
