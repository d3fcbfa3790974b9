/** The body of READ: a part of the text that the handle was given when it was read at 0. */

import { EINVAL } from '../fuse/errno.ts'
import { FUSE_READ_LOCKOWNER } from '../fuse/protocol.ts'
import type { Reply } from '../fuse/reply.ts'
import type { Request } from '../fuse/request.ts'
import type { Backend } from './backend.ts'

/** Makes a text, or a negative errno. */
export type TextMaker = () => Buffer | number

/** Returns the size of the body, or a negative errno. `make` is called where the text is to be one of this moment. */
export function writeText(
  backend: Backend,
  request: Request,
  reply: Reply,
  make: TextMaker,
): number {
  const { nodeid } = request.header
  const { fh, offset, size, readFlags } = request.read
  // sendfile(2) and splice(2) read through the page cache. Where they are refused, their callers fall back to read(2).
  if ((readFlags & FUSE_READ_LOCKOWNER) === 0) return -EINVAL
  let text = backend.handles.known(fh, nodeid, offset)
  if (text === undefined) {
    const made = make()
    if (typeof made === 'number') return made
    text = backend.handles.begin(fh, nodeid, made)
  }
  if (offset === 0 && size < text.length) backend.handles.unfinished(fh, text)
  else if (offset === 0) backend.handles.finished(fh)
  if (offset >= text.length) return 0
  return text.copy(reply.buffer, reply.start, offset, offset + Math.min(size, reply.room))
}
