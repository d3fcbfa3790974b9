/** The reply to a request, in a buffer that is used again for the next. */

import { Attr, AttrOut, EntryOut, InitOut, OpenOut, OutHeader, StatfsOut } from './protocol.ts'

/** The kernel asks for at most max_pages, 32, in one READ. */
const BODY_SIZE = 128 * 1024

export class Reply {
  readonly buffer = new Uint8Array(OutHeader.size + BODY_SIZE)
  readonly view = new DataView(this.buffer.buffer)
  readonly header = OutHeader.over(this.view, 0)
  /** Where the body starts. */
  readonly start = OutHeader.size
  readonly init = InitOut.over(this.view, OutHeader.size)
  readonly entry = EntryOut.over(this.view, OutHeader.size)
  readonly entryAttr = Attr.over(this.view, OutHeader.size + EntryOut.size)
  readonly attr = AttrOut.over(this.view, OutHeader.size)
  readonly attrAttr = Attr.over(this.view, OutHeader.size + AttrOut.size)
  readonly open = OpenOut.over(this.view, OutHeader.size)
  readonly statfs = StatfsOut.over(this.view, OutHeader.size)

  /**
   * A node whose attributes the kernel shall pass on from this reply without keeping them: it drops what it asked
   * for before a FUSE_NOTIFY_INVAL_INODE and got after, fuse_change_attributes(). `undefined` in most replies.
   */
  passing: number | undefined

  /** Zeroes the body's first `size` bytes: a struct's fields are set one by one, and none may be forgotten. */
  clear(size: number): void {
    this.buffer.fill(0, this.start, this.start + size)
  }

  /** The largest body. */
  get room(): number {
    return BODY_SIZE
  }
}
