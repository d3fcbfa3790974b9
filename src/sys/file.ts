/** open(2), pread(2), close(2) and getdents64(2) without an error for each file that is not there: most of ours may be missing. */

import type { FileCalls } from '../host/open-files.ts'
import { cstring, errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  open: { args: [pointer, int], returns: int },
  pread: { args: [int, pointer, long, long], returns: int },
  close: { args: [int], returns: int },
  syscall: { args: [long, int, pointer, long], returns: long },
})

const O_CLOEXEC = 0o2000000
/** O_DIRECTORY is 0o200000 in asm-generic, and arm64 has its own; getdents64 is 61 there, and x86 has its own. */
const IS_ARM = process.arch === 'arm64'
const O_DIRECTORY = IS_ARM ? 0o40000 : 0o200000
const SYS_GETDENTS64 = IS_ARM ? 61 : 217

/** The kernel fills in as many entries as there is room for: some 100 names of cgroups for each 4 KiB. */
const entries = Buffer.alloc(32 * 1024)

/** Offsets in struct linux_dirent64. */
const RECORD_LENGTH = 16
const TYPE = 18
const NAME = 19
const DT_DIR = 4

export const fileCalls: FileCalls = {
  open(path) {
    const fd = calls().open(cstring(path), O_CLOEXEC)
    return fd === -1 ? -errno() : fd
  },
  pread(fd, buffer, at, offset) {
    const target = at === 0 ? buffer : buffer.subarray(at)
    const size = calls().pread(fd, target, buffer.length - at, offset)
    return size === -1 ? -errno() : size
  },
  close(fd) {
    calls().close(fd)
  },
  directories(path, most) {
    const names: string[] = []
    const fd = calls().open(cstring(path), O_CLOEXEC | O_DIRECTORY)
    if (fd === -1) return names
    while (names.length < most) {
      const size = Number(calls().syscall(SYS_GETDENTS64, fd, entries, entries.length))
      if (size <= 0) break
      addDirectories(names, size, most)
    }
    calls().close(fd)
    return names
  },
}

/** Adds the names of the directories among the entries, which take so many bytes. */
function addDirectories(names: string[], size: number, most: number): void {
  for (
    let at = 0;
    at < size && names.length < most;
    at += entries.readUInt16LE(at + RECORD_LENGTH)
  ) {
    if (entries[at + TYPE] !== DT_DIR) continue
    const name = entries.toString('utf8', at + NAME, entries.indexOf(0, at + NAME))
    if (name !== '.' && name !== '..') names.push(name)
  }
}
