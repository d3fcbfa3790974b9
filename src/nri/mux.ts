/**
 * The frames by which NRI has two connections on one socket: pkg/net/multiplex/mux.go of
 * https://github.com/containerd/nri. A frame is the connection's number and the payload's length, 32 bits each, the
 * highest byte first, and the payload. The payloads of a connection are one stream of bytes.
 */

/** The runtime asks here, and the plugin answers. */
export const PLUGIN_CONNECTION = 1

/** The plugin asks here, and the runtime answers. */
export const RUNTIME_CONNECTION = 2

const HEADER_BYTES = 8

/** maxPayloadSize: 2^24 before version 0.8, and less since. Nothing of it is held here. */
const MOST_PAYLOAD_BYTES = 2 ** 24

/**
 * A runtime reads a connection through a buffer of 4096 bytes, into which a frame has to fit: conn.Read fails with ENOMEM
 * else, and closes everything.
 */
const MOST_SENT_BYTES = 4096

/** Returns the frames that carry these bytes. */
export function renderFrames(connection: number, bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += MOST_SENT_BYTES) {
    const payload = bytes.subarray(at, at + MOST_SENT_BYTES)
    const header = Buffer.allocUnsafe(HEADER_BYTES)
    header.writeUInt32BE(connection, 0)
    header.writeUInt32BE(payload.length, 4)
    pieces.push(header, payload)
  }
  return Buffer.concat(pieces)
}

/** Takes what comes from the socket, in whatever pieces, and holds nothing but the header that it is in. */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  #connection = 0
  /** What is missing of the payload. */
  #left = 0

  /**
   * Calls `take` for each part of a payload in the piece, with the connection's number. Throws a RangeError for a frame
   * that no runtime sends.
   */
  add(piece: Buffer, take: (connection: number, bytes: Buffer) => void): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#left > 0) {
        const part = piece.subarray(at, at + this.#left)
        at += part.length
        this.#left -= part.length
        take(this.#connection, part)
      } else {
        at += this.#addHeader(piece.subarray(at))
      }
    }
  }

  /** Returns how many of the bytes belong to the header. */
  #addHeader(bytes: Buffer): number {
    const size = bytes.copy(this.#header, this.#headerBytes, 0, HEADER_BYTES - this.#headerBytes)
    this.#headerBytes += size
    if (this.#headerBytes < HEADER_BYTES) return size
    this.#headerBytes = 0
    this.#connection = this.#header.readUInt32BE(0)
    this.#left = this.#header.readUInt32BE(4)
    if (this.#left <= MOST_PAYLOAD_BYTES) return size
    throw new RangeError(
      `Cannot read a frame of NRI: it is to have ${this.#left} bytes, and at most ${MOST_PAYLOAD_BYTES} are sent`,
    )
  }
}
