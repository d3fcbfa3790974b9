/** The fields of a protobuf message that somebody wants; all others are skipped: https://protobuf.dev/programming-guides/encoding/ */

import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export { BinaryWriter }

/** How a field is read. One that comes in another form than it should counts as unknown. */
interface Field {
  readonly type: WireType
  read(reader: BinaryReader): void
}

/** A field that holds a text. */
export const text = (set: (value: string) => void): Field => ({
  type: WireType.LengthDelimited,
  read: reader => set(reader.string()),
})

/** A field that holds the text of `key`. */
export const textInto = <Key extends string>(message: Record<Key, string>, key: Key): Field =>
  text(value => {
    message[key] = value
  })

/** A field that holds bytes, or another message. */
export const bytes = (set: (value: Uint8Array) => void): Field => ({
  type: WireType.LengthDelimited,
  read: reader => set(reader.bytes()),
})

/** A field that holds a number below 2^32, a bool or an enum. */
export const number = (set: (value: number) => void): Field => ({
  type: WireType.Varint,
  read: reader => set(reader.uint32()),
})

/**
 * Reads a message whose name is `what`, and whose fields have these numbers. Throws a SyntaxError for bytes that are no
 * message.
 */
export function readMessage(
  what: string,
  message: Uint8Array,
  fields: Readonly<Record<number, Field>>,
): void {
  try {
    const reader = new BinaryReader(message)
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag()
      const field = fields[number]
      if (field?.type === type) field.read(reader)
      else reader.skip(type, number)
    }
    if (reader.pos > reader.len) throw new SyntaxError('it ends within a field')
  } catch (error) {
    if (error instanceof SyntaxError && error.message.startsWith('Cannot ')) throw error
    throw new SyntaxError(`Cannot parse ${what}: ${(error as Error).message}`)
  }
}

/** Writes a field that holds a message, which `write` fills. */
export function writeMessage(
  writer: BinaryWriter,
  field: number,
  write: (writer: BinaryWriter) => void,
): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}

/** Writes a field that holds a text. An empty one is written too, since in a list it stands for itself. */
export function writeText(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value)
}

/** Writes a field that holds bytes. */
export function writeBytes(writer: BinaryWriter, field: number, value: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(value)
}

/** Writes a field that holds a number from 0 to 2^31, a bool or an enum. */
export function writeNumber(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).uint32(value)
}
