/** Memory that is a file's content, mmap(2): what is stored there outlives the process that has stored it. */

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mmap } from 'bun'

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
