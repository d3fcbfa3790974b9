/**
 * The text of a meminfo with the host's lines and other numbers: the bytes of its lines are there already, and numbers
 * are put into their columns.
 */

import { countDigits, putNumber } from '../digits.ts'
import { type Field, labelOf, MOST_EXACT, NUMBER_END, renderField } from '../lines.ts'
import { FIELD, FIELD_CELLS } from './fields.ts'

export class MeminfoText {
  readonly #fields: readonly Field[]
  /** The host's numbers. */
  readonly #values: Float64Array
  /** Where the value of each line is in the fields of a container, or NONE. */
  readonly #cells: Int16Array
  readonly #isMachines: readonly boolean[]
  readonly #indexes = new Map<string, number>()
  /** The text, with the numbers that are the machine's, and with 0 for all others. */
  readonly #template: Buffer
  /** Where the column of each number begins and ends in it. */
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  /** Room for a text. */
  readonly #text: Buffer

  constructor(fields: readonly Field[]) {
    this.#fields = fields
    this.#values = Float64Array.from(fields, ({ value }) => value)
    this.#cells = Int16Array.from(fields, ({ key }) => FIELD_CELLS.get(key) ?? NONE)
    this.#isMachines = fields.map(isMachines)
    this.#starts = new Int32Array(fields.length)
    this.#ends = new Int32Array(fields.length)
    let text = ''
    let length = 0
    for (const [i, field] of fields.entries()) {
      if (!this.#indexes.has(field.key)) this.#indexes.set(field.key, i)
      const { key, unit } = field
      const line = renderField(this.#isFixed(i) ? field : { key, unit, value: 0 })
      this.#starts[i] = length + Buffer.byteLength(labelOf(field.key))
      text += line
      length += Buffer.byteLength(line)
      this.#ends[i] = length - field.unit.length - '\n'.length
    }
    this.#template = Buffer.from(text)
    this.#text = Buffer.alloc(length + fields.length * MOST_DIGITS)
  }

  /** The host's number in the first line with that key. */
  get(key: string): number | undefined {
    const i = this.#indexes.get(key)
    return i === undefined ? undefined : this.#values[i]
  }

  /** Gives a line another number of the host's. Returns false where it does not fit into the line's column. */
  set(i: number, value: number): boolean {
    this.#values[i] = value
    if (!this.#isFixed(i)) return true
    const start = this.#starts[i] ?? 0
    const end = this.#ends[i] ?? 0
    // A number that is wide makes its own column.
    const isWide = end - start > NUMBER_END - labelOf(this.#fields[i]?.key ?? '').length
    if (isWide || countDigits(value) > end - start) return false
    this.#template.fill(' ', start, end)
    putNumber(this.#template, end, value)
    return true
  }

  /** The text with the values of a container; where one is NaN, with what is known without it. */
  render(fields: Float64Array): Buffer {
    const text = this.#text
    text.set(this.#template)
    let { length } = this.#template
    const memTotal = fields[FIELD.MemTotal] ?? 0
    let shift = 0
    for (let i = 0; i < this.#cells.length; i++) {
      if (this.#isFixed(i)) continue
      let value = fields[this.#cells[i] ?? NONE] ?? Number.NaN
      if (Number.isNaN(value)) value = this.#otherValue(i, memTotal)
      // What counts as the largest number is the host's, as long as it is.
      const digits = value === MOST_EXACT ? this.#fields[i]?.digits : undefined
      const start = (this.#starts[i] ?? 0) + shift
      let end = (this.#ends[i] ?? 0) + shift
      const more = (digits?.length ?? countDigits(value)) - (end - start)
      if (more > 0) {
        text.copyWithin(end + more, end, length)
        end += more
        length += more
        shift += more
      }
      if (digits === undefined) putNumber(text, end, value)
      else text.write(digits, end - digits.length)
    }
    const copy = Buffer.allocUnsafe(length)
    text.copy(copy, 0, 0, length)
    return copy
  }

  /** Whether a line shows the host's number whatever the container. */
  #isFixed(i: number): boolean {
    return this.#cells[i] === NONE && this.#isMachines[i] === true
  }

  /** The value of a line that no cgroup counts, or that a kernel to come may have. */
  #otherValue(i: number, memTotal: number): number {
    const value = this.#values[i] ?? 0
    // Whatever the line counts, a container cannot have more of it than it has memory.
    return this.#isMachines[i] === true ? value : Math.min(value, memTotal)
  }
}

/** Whether the line is about the machine, and no amount of memory. */
const isMachines = ({ key, unit }: Field) =>
  unit === '' || MACHINE_KEYS.has(key) || key.startsWith('DirectMap')

/** These lines are sizes of the address space and of huge pages. */
const MACHINE_KEYS: ReadonlySet<string> = new Set([
  'VmallocTotal',
  'VmallocChunk',
  'Hugepagesize',
  'Hugetlb',
])

const NONE = -1
/** A number of 64 bits has at most this many digits. */
const MOST_DIGITS = 20
