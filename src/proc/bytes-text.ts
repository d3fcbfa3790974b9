/** A text that is made of bytes and numbers, without a string for each of them: in memory that is used for the next. */

import { countDigits, putNumber } from './digits.ts'

const NEWLINE = 10

/** So few bytes are copied faster one by one than by way of another array. */
const MOST_SHORT = 64

export class BytesText {
  #bytes = Buffer.alloc(4096)
  #length = 0

  /** Begins a text of at most so many bytes. */
  begin(mostBytes: number): void {
    if (this.#bytes.length < mostBytes) this.#bytes = Buffer.alloc(mostBytes)
    this.#length = 0
  }

  /** Adds a text of ASCII. */
  putText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i)
  }

  /** Adds a whole number. */
  putNumber(value: number): void {
    if (value < 0) {
      this.putText(String(value))
      return
    }
    this.#length += countDigits(value)
    putNumber(this.#bytes, this.#length, value)
  }

  putBytes(bytes: Uint8Array, start: number, end: number): void {
    const own = this.#bytes
    let length = this.#length
    if (end - start > MOST_SHORT) {
      own.set(bytes.subarray(start, end), length)
      length += end - start
    } else {
      for (let at = start; at < end; at++) own[length++] = bytes[at] as number
    }
    this.#length = length
  }

  /** Adds a line of a key and a number. */
  putLine(key: string, value: number): void {
    this.putText(key)
    this.putText(' ')
    this.putNumber(value)
    this.#bytes[this.#length++] = NEWLINE
  }

  /** Adds a newline where the last line has none. */
  endLine(): void {
    if (this.#length > 0 && this.#bytes[this.#length - 1] !== NEWLINE) {
      this.#bytes[this.#length++] = NEWLINE
    }
  }

  /** The text so far, in memory of its own. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.#length)
    this.#bytes.copy(copy, 0, 0, this.#length)
    return copy
  }
}
