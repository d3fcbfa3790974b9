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
  let size = 0
  const offsets = new Map<string, number>()
  for (const [name, type] of Object.entries(layout)) {
    offsets.set(name, size)
    size += SIZES[type]
  }
  return {
    size,
    over(view, offset) {
      let base = offset
      const fields = {
        moveTo(to: number) {
          base = to
        },
      }
      for (const [name, type] of Object.entries(layout)) {
        const at = offsets.get(name) ?? 0
        Object.defineProperty(fields, name, {
          enumerable: true,
          get: getter(type, view, () => base + at),
          set: setter(type, view, () => base + at),
        })
      }
      return fields as Fields<L>
    },
  }
}

function getter(type: FieldType, view: DataView, at: () => number): () => number {
  switch (type) {
    case 'u16':
      return () => view.getUint16(at(), true)
    case 'u32':
      return () => view.getUint32(at(), true)
    case 'i32':
      return () => view.getInt32(at(), true)
    case 'u64':
      return () => view.getUint32(at(), true) + view.getUint32(at() + 4, true) * 2 ** 32
  }
}

function setter(type: FieldType, view: DataView, at: () => number): (value: number) => void {
  switch (type) {
    case 'u16':
      return value => view.setUint16(at(), value, true)
    case 'u32':
      return value => view.setUint32(at(), value, true)
    case 'i32':
      return value => view.setInt32(at(), value, true)
    case 'u64':
      return value => {
        view.setUint32(at(), value % 2 ** 32, true)
        view.setUint32(at() + 4, Math.floor(value / 2 ** 32), true)
      }
  }
}
