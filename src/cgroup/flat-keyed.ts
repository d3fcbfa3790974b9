/**
 * Files with a line `KEY NUMBER` for each count: cgroup-v2.rst, "Format". The kernel writes the keys of a file always
 * in the same order, so each line is compared with what stood there last before its key is looked up.
 */

import type { Bytes } from '../host/directory-file.ts'
import { endOfLine, scanCountBytes } from './numbers.ts'

export class FlatKeyed {
  readonly #cells: ReadonlyMap<string, number>
  /** The keys of the lines as they stood last, each with the blank behind it, one after the other. */
  readonly #keys = new Uint8Array(MOST_KEY_BYTES)
  /** Where the key of each line ends in these. */
  readonly #keyEnds = new Uint16Array(MOST_LINES)
  readonly #cellOfLine = new Int16Array(MOST_LINES)
  #lines = 0

  /** `cells` tells by the keys that matter where their counts go. */
  constructor(cells: ReadonlyMap<string, number>) {
    this.#cells = cells
  }

  /** Sets the counts in `counts`; those that are not there, or make no sense, stay what they are. */
  parse({ buffer, length }: Bytes, counts: Float64Array): void {
    for (let at = 0, line = 0, key = 0, end = 0; at < length; at = end + 1) {
      let size = this.#sizeOfKnown(line, key, buffer, at, length)
      let cell = NONE
      if (size > 0) {
        cell = this.#cellOfLine[line] ?? NONE
        end = endOfLine(buffer, at + size, length)
      } else {
        end = endOfLine(buffer, at, length)
        size = sizeOfKey(buffer, at, end)
        if (size === 0) continue
        cell = this.#learn(line, key, buffer, at, size)
      }
      if (cell !== NONE) {
        const count = scanCountBytes(buffer, at + size, end)
        if (count !== undefined && count <= Number.MAX_SAFE_INTEGER) counts[cell] = count
      }
      line++
      key += size
    }
  }

  /** The size of the key that stood in this line last, with the blank; 0 when it does not stand at `at`. */
  #sizeOfKnown(line: number, key: number, buffer: Uint8Array, at: number, length: number): number {
    if (line >= this.#lines) return 0
    const size = (this.#keyEnds[line] ?? 0) - key
    if (at + size > length) return 0
    const keys = this.#keys
    for (let i = 0; i < size; i++) if (buffer[at + i] !== keys[key + i]) return 0
    return size
  }

  /** Returns the cell of a key that stands in this line from now on. What stood behind it is forgotten. */
  #learn(line: number, key: number, buffer: Uint8Array, at: number, size: number): number {
    const end = key + size
    this.#lines = Math.min(this.#lines, line)
    if (size > LONGEST_KEY) return NONE
    const bytes = buffer.subarray(at, at + size)
    const cell = this.#cells.get(String.fromCharCode(...bytes.subarray(0, -1))) ?? NONE
    if (line === this.#lines && line < MOST_LINES && end <= MOST_KEY_BYTES) {
      this.#keys.set(bytes, key)
      this.#keyEnds[line] = end
      this.#cellOfLine[line] = cell
      this.#lines = line + 1
    }
    return cell
  }
}

/** The size of what stands before the first blank, and the blank; 0 where there is none. */
function sizeOfKey(buffer: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (buffer[at] === BLANK) return at + 1 - start
  return 0
}

const NONE = -1
const BLANK = 32

/** More lines and longer keys than these are not remembered, and no memory.stat has them. */
const MOST_LINES = 256
const MOST_KEY_BYTES = 8192
const LONGEST_KEY = 64
