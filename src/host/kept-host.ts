/**
 * A host whose pseudo-files stay open: reading one again is a single pread(2), for which the kernel makes the text
 * anew. The descriptor of a file that has been removed meanwhile gives an error, and the path is opened again.
 */

import { endOfLines } from './beginning.ts'
import { type Bytes, type DirectoryFile, NONE, type Sample } from './directory-file.ts'
import { type Clock, Host, MOST_BYTES } from './host.ts'
import { type FileCalls, OpenFiles } from './open-files.ts'
import { Samples } from './samples.ts'

const BUFFER_BYTES = 64 * 1024
/** A buffer that had to become larger than this is given back before the next reading. */
const MOST_KEPT_BYTES = 2 ** 20

export class KeptHost extends Host {
  readonly #calls: FileCalls
  readonly #mostOpen: number
  readonly #open: OpenFiles
  readonly #samples = new Samples(this)
  /** What was read last. */
  readonly #bytes = { buffer: Buffer.allocUnsafe(BUFFER_BYTES), length: 0 }

  /** At most `mostOpen` files stay open. */
  constructor(root: string, clock: Clock, calls: FileCalls, mostOpen: number) {
    super(root, clock)
    this.#calls = calls
    this.#mostOpen = mostOpen
    this.#open = new OpenFiles(calls, mostOpen)
  }

  override withClock(clock: Clock): KeptHost {
    return new KeptHost(this.path(''), clock, this.#calls, this.#mostOpen)
  }

  override close(): void {
    this.#open.closeAll()
  }

  override giveUpFiles(): boolean {
    const had = this.#open.count > 0
    this.#open.closeAll()
    return had
  }

  /** Where only some are wanted, the others are not listed: a container may have any number of cgroups. */
  override directories(path: string, most = Number.POSITIVE_INFINITY): string[] {
    if (most === Number.POSITIVE_INFINITY) return super.directories(path)
    return this.#calls.directories(this.path(path), most)
  }

  override sample(path: string, witness?: string | number): string {
    return this.#samples.text(path, witness)
  }

  override sampleBytes(path: string): Sample {
    return this.#samples.bytes(path)
  }

  override readFile(file: DirectoryFile): Bytes | undefined {
    if (this.#bytes.buffer.length > MOST_KEPT_BYTES) {
      this.#bytes.buffer = Buffer.allocUnsafe(BUFFER_BYTES)
    }
    if (file.fd !== NONE) {
      if (this.#fill(file, file.fd)) {
        this.#open.used(file.fd)
        return this.#bytes
      }
      this.#open.close(file)
    }
    this.opens++
    const fd = this.#open.open(this.path(file.path))
    if (fd < 0) return undefined
    let isKept = false
    try {
      if (!this.#fill(file, fd)) return undefined
      isKept = this.#open.keep(file, fd)
      return this.#bytes
    } finally {
      if (!isKept) this.#calls.close(fd)
    }
  }

  /** An open(2), a pread(2) and a close(2), and no string: thousands of threads may be asked one after the other. */
  override tryBytes(path: string, mostBytes = MOST_BYTES): Bytes | undefined {
    const fd = this.#open.open(this.path(path))
    if (fd < 0) return undefined
    try {
      return this.#fill({ isListing: false, mostBytes }, fd) ? this.#bytes : undefined
    } finally {
      this.#calls.close(fd)
    }
  }

  override closeFile(file: DirectoryFile): void {
    this.#open.close(file)
  }

  /** Reads the text into the buffer. Returns false when that fails, or there is more than may be read. */
  #fill(file: Pick<DirectoryFile, 'isListing' | 'mostBytes'>, fd: number): boolean {
    const { isListing, mostBytes } = file
    const size = this.#readWhole(fd, isListing, mostBytes)
    this.#bytes.length = size
    if (size > mostBytes && isListing) {
      this.#bytes.length = endOfLines(this.#bytes.buffer, mostBytes)
      return true
    }
    return size >= 0 && size <= mostBytes
  }

  /**
   * Fills the buffer with the text, at most until it is past `mostBytes`, and returns the size, or a negative
   * errno. The kernel gives a file that is no listing as a whole where there is room for it.
   */
  #readWhole(fd: number, isListing: boolean, mostBytes: number): number {
    const bytes = this.#bytes
    let length = 0
    for (;;) {
      const size = this.#calls.pread(fd, bytes.buffer, length, length)
      if (size <= 0) return size < 0 ? size : length
      length += size
      if (length > mostBytes) return length
      if (length < bytes.buffer.length) {
        if (!isListing) return length
        continue
      }
      // The text is read again from the beginning: two parts would be of two moments.
      bytes.buffer = Buffer.allocUnsafe(bytes.buffer.length * 2)
      length = 0
    }
  }
}
