/**
 * A host whose pseudo-files stay open: reading one again is a single pread(2), for which the kernel makes the text
 * anew. The descriptor of a file that has been removed meanwhile gives an error, and the path is opened again.
 */

import { constants } from 'node:os'
import { wholeLines } from './beginning.ts'
import { type Bytes, bytesOf, type Clock, Host, MOST_BYTES, type PseudoFile } from './host.ts'

/** The results are sizes or descriptors, or negative errnos. */
export interface FileCalls {
  open(path: string): number
  /** Reads into `buffer` from `at` on, at most up to its end. */
  pread(fd: number, buffer: Buffer, at: number, offset: number): number
  close(fd: number): void
  /** Names of the directories in a directory, at most so many; none when it cannot be read. */
  directories(path: string, most: number): string[]
}

/**
 * At most this many files stay open. Each holds a page of the kernel's memory: fs/seq_file.c keeps its buffer until the
 * file is closed.
 */
const MOST_OPEN = 512

/** A sample is used for this long. The kernel itself sums up such texts from parts that are older than that. */
const SAMPLE_USEC = 5000

const NONE = -1

const BUFFER_BYTES = 64 * 1024
/** A buffer that had to become larger than this is given back after the reading. */
const MOST_KEPT_BYTES = 2 ** 20

export class KeptHost extends Host {
  readonly #calls: FileCalls
  /** The open files, in the order in which they are to be closed. */
  readonly #open = new Set<KeptFile>()
  readonly #samples = new Map<string, Sample>()
  readonly #keeping: Keeping = {
    read: file => this.#read(file),
    close: file => this.#close(file),
  }
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES)

  constructor(root: string, clock: Clock, calls: FileCalls) {
    super(root, clock)
    this.#calls = calls
  }

  override file(path: string, listing: boolean, mostBytes = MOST_BYTES): PseudoFile {
    return new KeptFile(this.#keeping, this.path(path), listing, mostBytes)
  }

  /** Where only some are wanted, the others are not listed: a container may have any number of cgroups. */
  override directories(path: string, most = Number.POSITIVE_INFINITY): string[] {
    if (most === Number.POSITIVE_INFINITY) return super.directories(path)
    return this.#calls.directories(this.path(path), most)
  }

  override sample(path: string): string {
    const known = this.#samples.get(path)
    const sample = known ?? { file: this.file(path, isListing(path)), text: undefined, usec: 0 }
    if (known === undefined) this.#samples.set(path, sample)
    const now = this.clock.monotonicUsec()
    if (sample.text === undefined || now - sample.usec >= SAMPLE_USEC) {
      sample.text = sample.file.tryRead() ?? this.read(path)
      sample.usec = now
    }
    return sample.text
  }

  #read(file: KeptFile): string | undefined {
    file.isUsed = true
    const text = this.#readOpen(file)
    if (text !== undefined) return text
    file.fd = this.#openFile(file.path)
    if (file.fd === NONE) return undefined
    this.#open.add(file)
    if (this.#open.size > MOST_OPEN) this.#closeOne(file)
    return this.#readOpen(file)
  }

  /** The text of an open file; `undefined` for one that is not open, or that is gone and so has been closed here. */
  #readOpen(file: KeptFile): string | undefined {
    if (file.fd === NONE) return undefined
    const size = this.#fill(file)
    const text = size >= 0 ? this.#textOf(file, size) : undefined
    if (this.#buffer.length > MOST_KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES)
    if (text === undefined) this.#close(file)
    return text
  }

  #textOf({ listing, mostBytes }: KeptFile, size: number): string | undefined {
    if (size <= mostBytes) return this.#buffer.toString('utf8', 0, size)
    return listing ? wholeLines(this.#buffer, mostBytes) : undefined
  }

  /**
   * Fills the buffer with the text, at most until it is past the file's limit, and returns the size, or a negative
   * errno. The kernel gives a file that is no listing as a whole where there is room for it.
   */
  #fill({ fd, listing, mostBytes }: KeptFile): number {
    let length = 0
    for (;;) {
      const size = this.#calls.pread(fd, this.#buffer, length, length)
      if (size <= 0) return size < 0 ? size : length
      length += size
      if (length > mostBytes) return length
      if (length < this.#buffer.length) {
        if (!listing) return length
        continue
      }
      // The text is read again from the beginning: two parts would be of two moments.
      this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2)
      length = 0
    }
  }

  #openFile(path: string): number {
    const fd = this.#calls.open(path)
    if (fd >= 0) return fd
    if (fd !== -EMFILE && fd !== -ENFILE) return NONE
    for (const file of this.#open) this.#close(file)
    const again = this.#calls.open(path)
    return again >= 0 ? again : NONE
  }

  #close(file: KeptFile): void {
    if (file.fd === NONE) return
    this.#calls.close(file.fd)
    file.fd = NONE
    this.#open.delete(file)
  }

  /** Closes the first file that was not read since its turn came last. */
  #closeOne(kept: KeptFile): void {
    for (const file of this.#open) {
      if (file.isUsed || file === kept) {
        file.isUsed = false
        this.#open.delete(file)
        this.#open.add(file)
        continue
      }
      this.#close(file)
      return
    }
  }
}

interface Keeping {
  read(file: KeptFile): string | undefined
  close(file: KeptFile): void
}

class KeptFile implements PseudoFile {
  readonly path: string
  readonly listing: boolean
  readonly mostBytes: number
  fd = NONE
  isUsed = false
  readonly #keeping: Keeping

  constructor(keeping: Keeping, path: string, listing: boolean, mostBytes: number) {
    this.#keeping = keeping
    this.path = path
    this.listing = listing
    this.mostBytes = mostBytes
  }

  tryRead(): string | undefined {
    return this.#keeping.read(this)
  }

  tryBytes(): Bytes | undefined {
    return bytesOf(this.tryRead())
  }

  close(): void {
    this.#keeping.close(this)
  }
}

interface Sample {
  file: PseudoFile
  text: string | undefined
  usec: number
}

const { EMFILE, ENFILE } = constants.errno

/**
 * Only the files named here are no listings. The kernel makes them as a whole: single_open() of fs/seq_file.c, kernfs,
 * sysctl.
 */
const isListing = (path: string) =>
  !/^(?:sys|proc\/sys|proc\/pressure)\/|^proc\/(?:meminfo|stat|uptime|loadavg)$/.test(path)
