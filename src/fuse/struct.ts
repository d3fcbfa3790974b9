/**
 * C structs of the FUSE protocol as accessors over a DataView: declared once, in wire order, read and written in
 * place. The protocol is in host byte order, which is little-endian wherever this runs.
 */

type FieldType = 'u16' | 'u32' | 'i32' | 'u64'
type Layout = Readonly<Record<string, FieldType>>

const SIZES: Readonly<Record<FieldType, number>> = { u16: 2, u32: 4, i32: 4, u64: 8 }

/** A struct laid over bytes; its fields are read and written as properties. */
type Fields<L extends Layout> = { -readonly [Name in keyof L]: number } & {
  /** Moves the struct to another place in its buffer. */
  moveTo(offset: number): void
}

interface Struct<L extends Layout> {
  /** Size in bytes. */
  readonly size: number
  /** Accessors over `view`; made once for a buffer and moved along it. */
  over(view: DataView, offset: number): Fields<L>
}

/**
 * Fields follow each other without gaps: padding is declared like in the kernel's header. A `u64` is a number
 * and so exact below 2^53; one that is only echoed is declared as two `u32`.
 */
export function struct<const L extends Layout>(layout: L): Struct<L> {
  class Declared extends Overlay {}
  let size = 0
  for (const [name, type] of Object.entries(layout)) {
    Object.defineProperty(Declared.prototype, name, Overlay.accessors(type, size))
    size += SIZES[type]
  }
  return {
    size,
    over: (view, offset) => new Declared(view, offset) as unknown as Fields<L>,
  }
}

/** Where a struct lies. The accessors are those of the prototype: all structs of a kind run the same compiled code. */
class Overlay {
  readonly #view: DataView
  #base: number

  constructor(view: DataView, base: number) {
    this.#view = view
    this.#base = base
  }

  moveTo(offset: number): void {
    this.#base = offset
  }

  /** The accessors of a field that starts `at` so many bytes into its struct. */
  static accessors(type: FieldType, at: number): PropertyDescriptor & ThisType<Overlay> {
    switch (type) {
      case 'u16':
        return {
          get() {
            return this.#view.getUint16(this.#base + at, true)
          },
          set(value: number) {
            this.#view.setUint16(this.#base + at, value, true)
          },
        }
      case 'u32':
        return {
          get() {
            return this.#view.getUint32(this.#base + at, true)
          },
          set(value: number) {
            this.#view.setUint32(this.#base + at, value, true)
          },
        }
      case 'i32':
        return {
          get() {
            return this.#view.getInt32(this.#base + at, true)
          },
          set(value: number) {
            this.#view.setInt32(this.#base + at, value, true)
          },
        }
      case 'u64':
        return {
          get() {
            const low = this.#view.getUint32(this.#base + at, true)
            return low + this.#view.getUint32(this.#base + at + 4, true) * 2 ** 32
          },
          set(value: number) {
            this.#view.setUint32(this.#base + at, value % 2 ** 32, true)
            this.#view.setUint32(this.#base + at + 4, Math.floor(value / 2 ** 32), true)
          },
        }
    }
  }
}
