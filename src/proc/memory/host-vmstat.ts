/**
 * The host's vmstat, from which each container's is made: lines `KEY NUMBER`, vmstat_show() of mm/vmstat.c. The kernel
 * writes the same lines in the same order for as long as the machine runs, so a line's key is looked up once.
 */

import { endOfLine, scanCountBytes } from '../../cgroup/numbers.ts'
import { BytesText } from '../bytes-text.ts'
import type { HostText } from '../view.ts'

export class HostVmstat {
  readonly #cellOf: (key: string) => number | undefined
  readonly #counted: ReadonlySet<string>
  #host: HostText | undefined
  #version: number | undefined
  /** The lines as they were last, each with the blank behind its key. */
  #lines: Line[] = []
  /** Where the number of each line begins, and where the line ends without its newline. */
  #numbers = new Int32Array(0)
  #ends = new Int32Array(0)
  #count = 0
  #pages = 0
  readonly #text = new BytesText()

  /**
   * `cellOf` tells by a line's key where its value is, `undefined` for a line that shows the host's. The host's numbers in
   * the lines of `counted` are added up.
   */
  constructor(cellOf: (key: string) => number | undefined, counted: ReadonlySet<string>) {
    this.#cellOf = cellOf
    this.#counted = counted
  }

  /** The sum of the host's numbers in the lines that are counted. */
  get pages(): number {
    return this.#pages
  }

  /** Reads the host's text, if it has not been read yet. Its bytes are needed until the text is rendered. */
  update(text: HostText): void {
    this.#host = text
    if (text.version === this.#version) return
    this.#version = text.version
    this.#count = 0
    this.#pages = 0
    const { buffer, length } = text
    for (let at = 0, end = 0; at < length; at = end + 1) {
      end = endOfLine(buffer, at, length)
      const line = this.#lineAt(buffer, at, end)
      this.#numbers[this.#count] = at + line.key.length
      this.#ends[this.#count] = end
      this.#count++
      if (line.isCounted) this.#pages += scanCountBytes(buffer, at + line.key.length, end) ?? 0
    }
  }

  #lineAt(buffer: Uint8Array, start: number, end: number): Line {
    const known = this.#lines[this.#count]
    if (known !== undefined && begins(buffer, start, end, known.key)) return known
    return this.#learn(buffer, start, end)
  }

  /** What stood in this line and behind it is forgotten. */
  #learn(buffer: Uint8Array, start: number, end: number): Line {
    const blank = buffer.subarray(start, end).indexOf(BLANK)
    const key = buffer.slice(start, blank < 0 ? end : start + blank + 1)
    const name = Buffer.from(key).toString('latin1').trimEnd()
    const cell = blank < 0 ? NONE : (this.#cellOf(name) ?? NONE)
    const line = { key, cell, isCounted: this.#counted.has(name) }
    this.#lines.length = this.#count
    this.#lines.push(line)
    if (this.#count === this.#ends.length) {
      this.#numbers = withRoom(this.#numbers)
      this.#ends = withRoom(this.#ends)
    }
    return line
  }

  /**
   * The text with the values of a container in the lines that have a cell. Others, and those of NaN, show the host's
   * number as it stands there.
   */
  render(values: Float64Array): Buffer {
    const text = this.#text
    const { buffer, length } = this.#host ?? NO_TEXT
    text.begin(length + this.#count * MOST_DIGITS)
    for (let i = 0; i < this.#count; i++) {
      const line = this.#lines[i] as Line
      const value = line.cell === NONE ? Number.NaN : (values[line.cell] ?? Number.NaN)
      if (Number.isNaN(value)) {
        const number = this.#numbers[i] ?? 0
        text.putBytes(buffer, number - line.key.length, this.#ends[i] ?? 0)
      } else {
        text.putBytes(line.key, 0, line.key.length)
        text.putNumber(value)
      }
      text.endLine()
    }
    return text.copy()
  }
}

interface Line {
  key: Uint8Array
  cell: number
  isCounted: boolean
}

function begins(buffer: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (start + key.length > end) return false
  for (let i = 0; i < key.length; i++) if (buffer[start + i] !== key[i]) return false
  return true
}

function withRoom(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(2 * numbers.length, 256))
  longer.set(numbers)
  return longer
}

const NO_TEXT = { buffer: new Uint8Array(0), length: 0 }
const NONE = -1
const BLANK = 32
/** A number of 64 bits has at most this many digits. */
const MOST_DIGITS = 20
