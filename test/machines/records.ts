/** Memory that stays when a server ends, as that of a mapped file does. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type MapNumbers, Records } from '../../src/container/records/records.ts'

/** Does what mapNumbers() does, but for the writing: the file keeps what it had. */
export function numberMap(known = new Map<string, Float64Array>()): MapNumbers {
  return (file, count) => {
    const size = count * Float64Array.BYTES_PER_ELEMENT
    if (statSync(file, { throwIfNoEntry: false })?.size !== size) {
      writeFileSync(file, Buffer.alloc(size))
      known.delete(file)
    }
    const numbers = known.get(file) ?? new Float64Array(new Uint8Array(readFileSync(file)).buffer)
    known.set(file, numbers)
    return numbers
  }
}

export function recordsIn(directory: string, map = numberMap()): Records {
  return new Records(directory, map, () => {})
}
