/** What the operations of our file system need of the rest of the program. */

import type { ProcFile } from '../proc/files.ts'
import type { View } from '../proc/view.ts'
import type { Handles } from './handles.ts'
import type { NodeNumbers } from './node-numbers.ts'
import type { Sysfs } from './sysfs.ts'
import type { Offered } from './tree.ts'

export interface Backend {
  /** The slot of a registered container. */
  findSlot(id: string): number | undefined
  /** Ids of the registered containers. */
  ids(): string[]
  ofSlot(slot: number): View | undefined
  ofCaller(pid: number): View | undefined
  /** To be called when the kernel has looked up a node of this container. */
  retain(slot: number): void
  /** To be called when the kernel has forgotten that many lookups. */
  release(slot: number, lookups: number): void
  /** Whether the process may see what containers there are. */
  isHostRoot(pid: number, uid: number): boolean
  offered: Offered
  /** Returns the file's text for `view`, or the host's own text where that fails or `view` is undefined. */
  render(file: ProcFile, view: View | undefined): Buffer
  /** Whether the devices of a container are looked for at this moment, so that who asks for them is to wait. */
  isAwaited(view: View | undefined): boolean
  /** Whether this reader reads again and again without a pause. */
  isInLoop(pid: number): boolean
  /** Does `work` for the next request, if there is time before it comes. */
  prepare(work: () => void): void
  /** Counts a READ request about the file at `path`, which was answered in so many seconds. */
  count(path: string, seconds: number): void
  /** The text of the metrics. */
  metrics(): Buffer
  handles: Handles
  /** Nodes that are in `sysfs` alone. */
  nodes: Pick<NodeNumbers, 'find' | 'numberOf' | 'slotOf'>
  sysfs: Pick<Sysfs, 'has' | 'find' | 'list' | 'read' | 'link'>
  /** Seconds since 1970. */
  mountTime: number
}
