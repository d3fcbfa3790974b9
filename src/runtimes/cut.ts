/**
 * Bounds what is told of the containers at one place: it is one answer of a worker, which is not to fail for what one
 * container has in its state.
 */

import { isOption } from '../oci/annotations.ts'
import type { Claim } from './claim.ts'
import { isName } from './merge.ts'

/** A worker's answer has 8 MiB at most: `MOST_LINE_BYTES`. */
const MOST_BYTES = 6 * 2 ** 20

/** Whoever asks reads several files of /proc for each claim. A host has some hundred containers. */
export const MOST_CLAIMS = 4096

/** All options at once take 1 KiB. */
const MOST_ANNOTATIONS_BYTES = 4096

/** PATH_MAX and NAME_MAX of Linux. A longer path cannot be opened, and no cgroup has a longer name. */
const MOST_PATH = 4096
const MOST_NAME = 255

/** What may still be told. */
export class Room {
  #bytes = MOST_BYTES
  #claims = MOST_CLAIMS

  /** Returns whether the claim may be told as well. */
  take(claim: Claim): boolean {
    this.#claims--
    this.#bytes -= sizeOf(claim) + 1
    return this.#claims >= 0 && this.#bytes >= 0
  }
}

const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

/** Leaves of a claim what is used of it: of annotations these are our options. */
export function cutClaim(claim: Claim): Claim {
  const { runtime, name, rootfs = '', cgroupName } = claim
  return {
    ...claim,
    runtime: beginning(runtime, MOST_NAME),
    name: name !== undefined && isName(name) ? name : undefined,
    rootfs: rootfs !== '' && rootfs.length < MOST_PATH ? rootfs : undefined,
    annotations: optionsIn(claim.annotations),
    // A name that is cut is still too long for a cgroup.
    ...(cgroupName === undefined ? {} : { cgroupName: beginning(cgroupName, MOST_NAME + 1) }),
  }
}

/** A value that is too long is cut and marked, so that it is refused like any other that cannot be used. */
function optionsIn(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const options: Record<string, string> = {}
  let left = MOST_ANNOTATIONS_BYTES
  for (const [key, value] of Object.entries(annotations)) {
    if (!isOption(key)) continue
    const isLong = sizeOf(value) > MOST_ANNOTATIONS_BYTES / 2
    const option = [beginning(key, 64), isLong ? `${beginning(value, 64)}…` : value] as const
    left -= sizeOf(option)
    if (left < 0) break
    options[option[0]] = option[1]
  }
  return options
}

/** A part of a string keeps the whole in memory, and a copy does not. */
const beginning = (text: string, length: number) =>
  text.length <= length ? text : Buffer.from(text.slice(0, length)).toString()
