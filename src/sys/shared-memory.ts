/**
 * Memory that outlives a process, mmap(2): the content of a file, or of a descriptor that others hold, memfd_create(2).
 */

import { type Pointer, toArrayBuffer } from 'bun:ffi'
import { fstatSync, ftruncateSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mmap } from 'bun'
import { checked, cstring, errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  memfd_create: { args: [pointer, int], returns: int },
  mmap: { args: [pointer, long, int, int, int, long], returns: long },
})

const EINVAL = 22
const MFD_CLOEXEC = 1
/** Some hosts require it: the sysctl vm.memfd_noexec. Linux before 6.3 does not know it. */
const MFD_NOEXEC_SEAL = 8
const PROT_READ_WRITE = 3
const MAP_SHARED = 1

/** What stat(2) counts the blocks of a file in. */
const BLOCK_BYTES = 512

/**
 * Returns numbers that are kept in `file`: those that are there, or zeros where there is no such file or one of another
 * size. Throws when the file cannot be made.
 */
export function mapNumbers(file: string, count: number): Float64Array {
  writeWhole(file, count * Float64Array.BYTES_PER_ELEMENT)
  const bytes = mmap(file, { shared: true })
  return new Float64Array(bytes.buffer, bytes.byteOffset, count)
}

/** Has all of the file written: a store where a full disk has no room for it would kill the process with SIGBUS. */
function writeWhole(file: string, size: number): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.size !== size) {
    // A process that has mapped a file of another size keeps that: cut short, it would have nothing at its end.
    rmSync(file, { force: true })
    writeFileSync(file, Buffer.alloc(size), { mode: 0o600 })
  } else if (found.blocks * BLOCK_BYTES < size) {
    writeFileSync(file, readFileSync(file), { flag: 'r+' })
  }
}

/** Returns a descriptor of memory that has no size yet. /proc shows it as `/memfd:NAME (deleted)`. */
export function makeMemory(name: string): number {
  const text = cstring(name)
  const fd = calls().memfd_create(text, MFD_CLOEXEC | MFD_NOEXEC_SEAL)
  if (fd !== -1 || errno() !== EINVAL) return checked(fd, 'memfd_create', 'make shared memory')
  return checked(calls().memfd_create(text, MFD_CLOEXEC), 'memfd_create', 'make shared memory')
}

/** Maps `size` bytes: what is there, or zeros where the memory had another size. */
export function mapMemory(fd: number, size: number): Uint8Array {
  if (fstatSync(fd).size !== size) {
    ftruncateSync(fd, 0)
    ftruncateSync(fd, size)
  }
  const address = calls().mmap(null, size, PROT_READ_WRITE, MAP_SHARED, fd, 0)
  const mapped = checked(Number(address), 'mmap', 'map shared memory')
  return new Uint8Array(toArrayBuffer(mapped as Pointer, 0, size))
}
