/** The events of inotify(7), as the kernel writes them: uapi/linux/inotify.h. */

export const IN_CLOSE_WRITE = 0x8
export const IN_MOVED_FROM = 0x40
export const IN_MOVED_TO = 0x80
export const IN_CREATE = 0x100
export const IN_DELETE = 0x200
export const IN_DELETE_SELF = 0x400
export const IN_MOVE_SELF = 0x800
export const IN_UNMOUNT = 0x2000
export const IN_Q_OVERFLOW = 0x4000
export const IN_IGNORED = 0x8000
export const IN_ONLYDIR = 0x0100_0000
export const IN_DONT_FOLLOW = 0x0200_0000
export const IN_MASK_ADD = 0x2000_0000

/** struct inotify_event up to its name: wd, mask, cookie and len, of 32 bits each. */
const HEADER_BYTES = 16

export interface InotifyEvent {
  /** The watch that the event is of; -1 for a queue that overflowed. */
  wd: number
  mask: number
  /** The name in the watched directory; empty for the directory itself. */
  name: string
}

/** Parses what one read(2) gave: whole events, whose names are padded with NUL. */
export function parseInotifyEvents(bytes: Uint8Array): InotifyEvent[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: InotifyEvent[] = []
  for (let at = 0; at + HEADER_BYTES <= buffer.length; ) {
    const wd = buffer.readInt32LE(at)
    const mask = buffer.readUInt32LE(at + 4)
    const nameAt = at + HEADER_BYTES
    at = nameAt + buffer.readUInt32LE(at + 12)
    const padded = buffer.toString('utf8', nameAt, at)
    const end = padded.indexOf('\0')
    events.push({ wd, mask, name: end < 0 ? padded : padded.slice(0, end) })
  }
  return events
}
