/**
 * The host's meminfo, from which each container's is made. Its lines stay the same for as long as the machine runs, and
 * mostly even their columns do: then only the numbers that have changed are read.
 */

import { type Field, parseField } from '../lines.ts'
import type { HostText } from '../view.ts'
import { MeminfoText } from './meminfo-text.ts'

export class HostMeminfo {
  #version: number | undefined
  /** The text that was read last, and room for the next one. */
  #last = makeText(0)
  #next = makeText(0)
  /** Whether a text may be compared with the last one. */
  #isFollowed = false
  /** The lines of the last text, one behind the other. */
  #lines: readonly Line[] = []
  #text = new MeminfoText([])

  /** Reads the host's text, if it has not been read yet. */
  update({ buffer, length, version }: HostText): void {
    if (version === this.#version) return
    const isSameLength = this.#isFollowed && length === this.#last.bytes.length
    if (!isSameLength || !this.#follow(buffer)) this.#parse(buffer, length)
    this.#version = version
  }

  /** The number of a line; `undefined` where the host has no such line. */
  get(key: string): number | undefined {
    return this.#text.get(key)
  }

  /** The text with the values in `fields`, which are at FIELD_CELLS. */
  render(fields: Float64Array): Buffer {
    return this.#text.render(fields)
  }

  /** Reads what has changed in a text of the same length. Returns false for one that has to be parsed. */
  #follow(buffer: Uint8Array): boolean {
    const lines = this.#lines
    const last = this.#last
    const next = this.#next
    next.bytes.set(buffer.subarray(0, next.bytes.length))
    for (let word = 0, i = 0; word < next.words.length; word++) {
      if (next.words[word] === last.words[word]) continue
      const start = word * 4
      for (let line = lines[i]; line !== undefined && line.start < start + 4; line = lines[++i]) {
        if (line.end > start && !this.#readLine(line)) return false
      }
    }
    this.#last = next
    this.#next = last
    return true
  }

  /** Reads the number of a line of the next text. Returns false where more than the number has changed. */
  #readLine({ start, numberStart, numberEnd, end, field }: Line): boolean {
    if (numberStart === undefined) return false
    if (!this.#isSame(start, numberStart) || !this.#isSame(numberEnd, end)) return false
    const { bytes } = this.#next
    let at = numberStart
    while (at < numberEnd && bytes[at] === BLANK) at++
    if (at === numberEnd || numberEnd - at > EXACT_DIGITS) return false
    let value = 0
    for (; at < numberEnd; at++) {
      const digit = (bytes[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) return false
      value = value * 10 + digit
    }
    return this.#text.set(field, value)
  }

  #isSame(start: number, end: number): boolean {
    const last = this.#last.bytes
    const next = this.#next.bytes
    for (let at = start; at < end; at++) if (next[at] !== last[at]) return false
    return true
  }

  #parse(buffer: Uint8Array, length: number): void {
    const bytes = buffer.subarray(0, length)
    const text = Buffer.from(bytes).toString()
    // In other texts a character is no byte.
    this.#isFollowed = text.length === length && Buffer.byteLength(text) === length
    this.#last = makeText(length)
    this.#next = makeText(length)
    this.#last.bytes.set(bytes)
    const lines: Line[] = []
    const fields: Field[] = []
    for (let start = 0, end = 0; start < text.length; start = end) {
      end = text.indexOf('\n', start) + 1 || text.length
      const line = text.slice(start, end)
      const field = parseField(line)
      lines.push({ start, end, field: fields.length, ...findNumber(line, start, field) })
      if (field !== undefined) fields.push(field)
    }
    this.#lines = lines
    this.#text = new MeminfoText(fields)
  }
}

interface Line {
  start: number
  /** Where the next line starts. */
  end: number
  /** Behind the colon, `undefined` where it is not a number alone that may change there. */
  numberStart: number | undefined
  /** Behind the last digit. */
  numberEnd: number
  /** The line's number among the fields. */
  field: number
}

function findNumber(
  line: string,
  start: number,
  field: Field | undefined,
): Pick<Line, 'numberStart' | 'numberEnd'> {
  const [, key, number] = /^([^:]*:)( *\d+)/.exec(line) ?? []
  const isExact = field !== undefined && field.digits === undefined
  if (!isExact || key === undefined || number === undefined) {
    return { numberStart: undefined, numberEnd: 0 }
  }
  const numberStart = start + key.length
  return { numberStart, numberEnd: numberStart + number.length }
}

/** A text, and the same memory as words, which are compared several times faster. */
function makeText(length: number): { bytes: Uint8Array; words: Int32Array } {
  const words = new Int32Array(Math.ceil(length / 4))
  return { bytes: new Uint8Array(words.buffer, 0, length), words }
}

const BLANK = 32
const ZERO = 48
/** A double is exact for every number of this many digits. */
const EXACT_DIGITS = 15
