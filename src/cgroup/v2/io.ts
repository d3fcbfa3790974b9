/** Block I/O by the unified hierarchy: cgroup-v2.rst, "IO". */

import type { Group } from '../group.ts'
import { type DiskIo, type IoReader, parseIoStat } from '../io.ts'
import { memoize } from '../memoize.ts'

export class IoV2 implements IoReader {
  readonly #group: Group
  readonly #parse = memoize(parseIoStat)

  constructor(group: Group) {
    this.#group = group
  }

  disks(): ReadonlyMap<string, DiskIo> | undefined {
    const text = this.#group.read('io.stat')
    return text === undefined ? undefined : this.#parse(text)
  }
}
