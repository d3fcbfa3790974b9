/** Memory that is a file's content, mmap(2): what is stored there outlives the process that has stored it. */

import { statSync, writeFileSync } from 'node:fs'
import { mmap } from 'bun'

/**
 * Returns numbers that are kept in `file`: those that are there, or zeros where there is no such file or one of another
 * size. Throws when the file cannot be made. All of it is written then: a store beyond what a full disk holds would kill
 * the process with SIGBUS.
 */
export function mapNumbers(file: string, count: number): Float64Array {
  const size = count * Float64Array.BYTES_PER_ELEMENT
  if (statSync(file, { throwIfNoEntry: false })?.size !== size) {
    writeFileSync(file, Buffer.alloc(size), { mode: 0o600 })
  }
  const bytes = mmap(file, { shared: true })
  return new Float64Array(bytes.buffer, bytes.byteOffset, count)
}
