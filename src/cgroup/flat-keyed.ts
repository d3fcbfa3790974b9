/**
 * Files with a line `KEY NUMBER` for each count: cgroup-v2.rst, "Format". The kernel writes the keys of a file always
 * in the same order, so each line is compared with what stood there last before its key is looked up.
 */

import { scanCount } from './numbers.ts'

export class FlatKeyed<Name extends string> {
  readonly #names: ReadonlyMap<string, Name>
  readonly #lines: Line<Name>[] = []

  /** `names` tells by their keys what the counts that matter are called. */
  constructor(names: ReadonlyMap<string, Name>) {
    this.#names = names
  }

  /** Sets the counts in `counts` and returns it; counts that are not there, or make no sense, stay what they are. */
  parse<Counts extends Record<Name, number>>(text: string, counts: Counts): Counts {
    const target: Record<Name, number> = counts
    for (let at = 0, i = 0; at < text.length; i++) {
      let end = text.indexOf('\n', at)
      if (end < 0) end = text.length
      const line = this.#lineAt(text, at, end, i)
      if (line?.name !== undefined) {
        const count = scanCount(text, at + line.start.length, end)
        if (count !== undefined && count <= Number.MAX_SAFE_INTEGER) target[line.name] = count
      }
      at = end + 1
    }
    return counts
  }

  /** `undefined` for a line without a number. */
  #lineAt(text: string, at: number, end: number, i: number): Line<Name> | undefined {
    const known = this.#lines[i]
    if (known !== undefined && text.startsWith(known.start, at)) return known
    const whole = text.slice(at, end)
    const blank = whole.indexOf(' ')
    if (blank < 0) return undefined
    const line = { start: whole.slice(0, blank + 1), name: this.#names.get(whole.slice(0, blank)) }
    if (i < MOST_LINES) this.#lines[i] = line
    return line
  }
}

interface Line<Name> {
  /** The key with the blank behind it. */
  start: string
  name: Name | undefined
}

/** At most this many lines are remembered: more than any memory.stat has. */
const MOST_LINES = 256
