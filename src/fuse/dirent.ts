/** The body of READDIR and READDIRPLUS: entries one after the other, each padded to 8 bytes. */

import { Attr, Dirent, EntryOut } from './protocol.ts'
import type { Reply } from './reply.ts'

const DT_DIR = 4
const DT_REG = 8
const DT_LNK = 10

/** What a directory lists. */
export interface DirectoryEntry {
  name: string
  nodeid: number
  directory: boolean
  /** Whether it is a symbolic link. */
  link?: boolean
}

/** Fills in the attributes and the lifetimes of one entry of READDIRPLUS. */
export type DescribeEntry = (
  nodeid: number,
  entry: ReturnType<typeof EntryOut.over>,
  attr: ReturnType<typeof Attr.over>,
) => void

/**
 * Writes as many of `entries`, from `offset` on, as fit into `size` bytes, and returns the bytes used. An entry's
 * `off` is where the next request goes on.
 */
export function writeDirectory(
  reply: Reply,
  entries: readonly DirectoryEntry[],
  { offset, size }: { offset: number; size: number },
  describe?: DescribeEntry,
): number {
  const end = reply.start + Math.min(size, reply.room)
  const head = describe === undefined ? 0 : EntryOut.size + Attr.size
  let at = reply.start
  for (let i = offset; i < entries.length; i++) {
    const { name, nodeid, directory, link = false } = entries[i] as DirectoryEntry
    const bytes = Buffer.from(name)
    const length = align(head + Dirent.size + bytes.length)
    if (at + length > end) break
    reply.buffer.fill(0, at, at + length)
    describe?.(nodeid, EntryOut.over(reply.view, at), Attr.over(reply.view, at + EntryOut.size))
    const dirent = Dirent.over(reply.view, at + head)
    dirent.ino = nodeid
    dirent.off = i + 1
    dirent.namelen = bytes.length
    dirent.type = directory ? DT_DIR : link ? DT_LNK : DT_REG
    reply.buffer.set(bytes, at + head + Dirent.size)
    at += length
  }
  return at - reply.start
}

const align = (size: number) => (size + 7) & ~7
