/**
 * How often a hook could not give a container its files, by reason. Hooks count, each in a process of its own, and the
 * server tells in its metrics: so the numbers lie in a file that all of them map.
 */

import { causeCode } from '../sys/error.ts'
import { mapNumbers } from '../sys/shared-memory.ts'

/** In the order in which they are counted: another one is added at the end. */
export const HOOK_FAILURES = ['space', 'descriptors', 'late', 'other'] as const
export type HookFailure = (typeof HOOK_FAILURES)[number]

const BY_CODE: Readonly<Record<string, HookFailure>> = {
  ENOSPC: 'space',
  EDQUOT: 'space',
  EROFS: 'space',
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  ETIMEDOUT: 'late',
}

export const reasonOf = (error: unknown): HookFailure => BY_CODE[causeCode(error) ?? ''] ?? 'other'

export class HookFailures {
  readonly #cells: BigInt64Array

  /** Makes the file where it is not there. Throws where it cannot be made. */
  constructor(runDirectory: string) {
    const { buffer, byteOffset, length } = mapNumbers(
      `${runDirectory}/hook-failures`,
      HOOK_FAILURES.length,
    )
    this.#cells = new BigInt64Array(buffer, byteOffset, length)
  }

  count(reason: HookFailure): void {
    Atomics.add(this.#cells, HOOK_FAILURES.indexOf(reason), 1n)
  }

  get counts(): ReadonlyMap<string, number> {
    return new Map(HOOK_FAILURES.map((reason, i) => [reason, Number(this.#cells[i])]))
  }
}

/** Where the file cannot be mapped nothing is counted: the failure itself is what has to be told. */
export function countHookFailure(runDirectory: string, reason: HookFailure): void {
  try {
    new HookFailures(runDirectory).count(reason)
  } catch {}
}
