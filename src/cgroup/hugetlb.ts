/**
 * The hugetlb controller: cgroup-v2.rst, "HugeTLB"; cgroup-v1/hugetlb.rst. Its files are the same in both
 * versions but for their names. Memory in huge pages counts in no memory controller.
 */

import type { Group } from './group.ts'
import { findLimit, parseBytes } from './memory.ts'

export interface HugePages {
  /** The smallest limit of the container's own cgroup and its ancestors, which is always finite. */
  limitBytes: number
  /** Usage of the lowest cgroup that sets the limit. */
  usageBytes: number
}

export class Hugetlb {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  /** Huge pages of `pageKib` kibibytes, `undefined` when no cgroup limits them. */
  read(pageKib: number): HugePages | undefined {
    const [max, current] =
      this.#group.version === 1 ? ['limit_in_bytes', 'usage_in_bytes'] : ['max', 'current']
    const prefix = `hugetlb.${renderSize(pageKib)}`
    const { bytes, level } = findLimit(this.#group.levels(), `${prefix}.${max}`)
    if (level === undefined) return undefined
    return { limitBytes: bytes, usageBytes: parseBytes(level.bytes(`${prefix}.${current}`)) ?? 0 }
  }
}

/** mem_fmt() of mm/hugetlb_cgroup.c writes the largest unit that fits. */
function renderSize(kib: number): string {
  if (kib >= 2 ** 20) return `${Math.floor(kib / 2 ** 20)}GB`
  return kib >= 2 ** 10 ? `${Math.floor(kib / 2 ** 10)}MB` : `${kib}KB`
}
