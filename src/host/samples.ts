/** Texts of the host that are read for many containers, and may be some milliseconds old. */

import {
  type Bytes,
  bytesOf,
  type DirectoryFile,
  loneFile,
  type Sample,
  textOf,
} from './directory-file.ts'
import { type Host, MOST_BYTES, nextVersion } from './host.ts'

/** A sample is used for this long. The kernel itself sums up such texts from parts that are older than that. */
const SAMPLE_USEC = 5000

/** A sample with a witness is used for this long. */
const RARE_USEC = 1_000_000

export class Samples {
  readonly #host: Host
  readonly #texts = new Map<string, TextSample>()
  readonly #bytes = new Map<string, BytesSample>()

  constructor(host: Host) {
    this.#host = host
  }

  text(path: string, witness?: string | number): string {
    let sample = this.#texts.get(path)
    if (sample === undefined) {
      sample = { file: this.#file(path), text: undefined, usec: 0, witness }
      this.#texts.set(path, sample)
    }
    const usec = this.#host.clock.monotonicUsec()
    const isSameWitness = witness !== undefined && witness === sample.witness
    const mostUsec = isSameWitness ? RARE_USEC : SAMPLE_USEC
    if (sample.text === undefined || usec - sample.usec >= mostUsec) {
      sample.text = textOf(this.#host.readFile(sample.file)) ?? this.#host.read(path)
      sample.usec = usec
      sample.witness = witness
    }
    return sample.text
  }

  bytes(path: string): Sample {
    let sample = this.#bytes.get(path)
    if (sample === undefined) {
      sample = new BytesSample(this.#file(path))
      this.#bytes.set(path, sample)
    }
    const usec = this.#host.clock.monotonicUsec()
    if (sample.version === 0 || usec - sample.usec >= SAMPLE_USEC) {
      sample.set(this.#host.readFile(sample.file) ?? bytesOf(this.#host.read(path)))
      sample.usec = usec
    }
    return sample
  }

  #file(path: string): DirectoryFile {
    return loneFile(path, isListing(path), MOST_BYTES)
  }
}

interface TextSample {
  readonly file: DirectoryFile
  text: string | undefined
  /** When the text was read. */
  usec: number
  witness: string | number | undefined
}

class BytesSample implements Sample {
  readonly file: DirectoryFile
  buffer = Buffer.alloc(0)
  length = 0
  /** 0 while nothing has been read. */
  version = 0
  usec = 0

  constructor(file: DirectoryFile) {
    this.file = file
  }

  /** A text that is the same again stays of the same version. */
  set({ buffer, length }: Bytes): void {
    if (this.version !== 0 && length === this.length && this.#isSame(buffer)) return
    if (length > this.buffer.length) this.buffer = Buffer.alloc(length + ROOM_BYTES)
    this.buffer.set(buffer.subarray(0, length))
    this.length = length
    this.version = nextVersion()
  }

  /** Texts that are others mostly are so in one of the first lines. */
  #isSame(buffer: Uint8Array): boolean {
    const own = this.buffer
    for (let i = 0; i < this.length; i++) if (own[i] !== buffer[i]) return false
    return true
  }
}

/** So much longer a text may become before it needs a larger buffer. */
const ROOM_BYTES = 64

/**
 * Only the files named here are no listings. The kernel makes them as a whole: single_open() of fs/seq_file.c, kernfs,
 * sysctl.
 */
const isListing = (path: string) =>
  !/^(?:sys|proc\/sys|proc\/pressure)\/|^proc\/(?:meminfo|stat|uptime|loadavg)$/.test(path)
