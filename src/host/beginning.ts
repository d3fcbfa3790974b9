/**
 * Reads files whose length somebody else decides: a limit is given to each reading, and no memory beyond it is taken
 * or kept.
 */

import { closeSync, openSync, readSync } from 'node:fs'

export interface Beginning {
  /** The whole text, or the whole lines within the limit. */
  text: string
  /** Whether there is nothing behind the text. */
  isWhole: boolean
}

/** This buffer is enough for most pseudo-files. A reading that needs a larger one has it for itself. */
const kept = Buffer.allocUnsafe(64 * 1024)

/** Throws the system's error when the file cannot be read. */
export function readBeginning(path: string, mostBytes: number): Beginning {
  const fd = openSync(path, 'r')
  try {
    // The st_size of a pseudo-file says nothing, so it is read until a read returns 0, or past the limit.
    let buffer: Buffer = kept
    let length = 0
    while (length <= mostBytes) {
      if (length === buffer.length) buffer = enlarge(buffer)
      const size = readSync(fd, buffer, length, buffer.length - length, null)
      if (size === 0) return { text: buffer.toString('utf8', 0, length), isWhole: true }
      length += size
    }
    return { text: buffer.toString('utf8', 0, endOfLines(buffer, mostBytes)), isWhole: false }
  } finally {
    closeSync(fd)
  }
}

/** Where the last line ends that ends within the first `mostBytes`. */
export function endOfLines(buffer: Buffer, mostBytes: number): number {
  return mostBytes > 0 ? buffer.lastIndexOf('\n', mostBytes - 1) + 1 : 0
}

function enlarge(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafe(buffer.length * 2)
  buffer.copy(larger)
  return larger
}

/** The error has a code, as that of a file that is not there has: who can do without the file does so. */
export function tooLarge(path: string, mostBytes: number): Error {
  const message = `Cannot read ${path}: it has more than ${mostBytes} bytes`
  return Object.assign(new Error(message), { code: 'EFBIG' })
}
