/** A pseudo-file that is read again and again, and its text as bytes. */

/**
 * A text as its bytes, in a buffer that is used again: they hold until the next file is read. Whoever parses them makes
 * no string, which is what most of the time of reading a small file would be spent on.
 */
export interface Bytes {
  readonly buffer: Buffer
  /** So many bytes at the start of the buffer are the text. */
  readonly length: number
}

/** A text that is read for many: its bytes hold until it is asked for again. */
export interface Sample extends Bytes {
  /** Another number for every other text that was read. */
  readonly version: number
}

/** The bytes of a text, for a reader of bytes; `undefined` for none. */
export function bytesOf(text: string): Bytes
export function bytesOf(text: string | undefined): Bytes | undefined
export function bytesOf(text: string | undefined): Bytes | undefined {
  if (text === undefined) return undefined
  const buffer = Buffer.from(text)
  return { buffer, length: buffer.length }
}

/** The text of bytes; `undefined` for none. */
export function textOf(bytes: Bytes): string
export function textOf(bytes: Bytes | undefined): string | undefined
export function textOf(bytes: Bytes | undefined): string | undefined {
  return bytes?.buffer.toString('utf8', 0, bytes.length)
}

/** No descriptor. */
export const NONE = -1

export class DirectoryFile {
  readonly directory: { readonly path: string }
  readonly name: string
  /** Whether the kernel makes the text line by line, and may give a part of it at a time. */
  readonly isListing: boolean
  /** No more is read: of a listing that has more the first lines, and nothing of another file. */
  readonly mostBytes: number
  fd = NONE
  /**
   * Time of CLOCK_MONOTONIC until which nobody looks again for a file that never was there; PRESENT once it was read,
   * and 0 until then.
   */
  absentUntilUsec = 0

  constructor(
    directory: { readonly path: string },
    name: string,
    isListing: boolean,
    mostBytes: number,
  ) {
    this.directory = directory
    this.name = name
    this.isListing = isListing
    this.mostBytes = mostBytes
  }

  get path(): string {
    const { path } = this.directory
    return path === '' ? this.name : `${path}/${this.name}`
  }
}

/** A file that was read is looked for at each reading. */
export const PRESENT = Number.POSITIVE_INFINITY

/** A file that is read by itself, and not with others of its directory. */
export function loneFile(path: string, isListing: boolean, mostBytes: number): DirectoryFile {
  const at = path.lastIndexOf('/') + 1
  const directory = { path: path.slice(0, Math.max(at - 1, 0)) }
  return new DirectoryFile(directory, path.slice(at), isListing, mostBytes)
}
