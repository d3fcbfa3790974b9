/**
 * The messages of ttrpc, PROTOCOL.md and request.proto of https://github.com/containerd/ttrpc: a header of 10 bytes, with
 * the length of the data and the stream's number in 32 bits each, the highest byte first, the type and the flags; then the
 * data, which is a Request or a Response.
 */

import {
  BinaryWriter,
  bytes,
  number,
  readMessage,
  textInto,
  writeBytes,
  writeMessage,
  writeNumber,
  writeText,
} from './protobuf.ts'

const HEADER_BYTES = 10
const MOST_DATA_BYTES = 4 * 2 ** 20

/** Before ttrpc 1.2.4 nothing kept a runtime from sending more, as it does of a node with thousands of containers. */
const MOST_SKIPPED_BYTES = 64 * 2 ** 20

export const REQUEST = 1
export const RESPONSE = 2

/** google.rpc.Code */
export const OK = 0
export const UNIMPLEMENTED = 12

export interface Message {
  /** Odd for what the client has begun. */
  stream: number
  /** REQUEST, RESPONSE, or a type that we have no use for. */
  type: number
  /** `undefined` where it was too long to be kept. */
  data: Buffer | undefined
}

export function renderMessage({ stream, type, data }: Message & { data: Buffer }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(data.length, 0)
  header.writeUInt32BE(stream, 4)
  header[8] = type
  return Buffer.concat([header, data])
}

/** Makes messages of a stream of bytes. It holds one message at most. */
export class MessageReader {
  #pieces: Buffer[] = []
  #size = 0
  /** How many bytes the message has, as far as its header is there. */
  #wanted = HEADER_BYTES

  get #isKept(): boolean {
    return this.#wanted <= HEADER_BYTES + MOST_DATA_BYTES
  }

  /** Returns the messages that end in this piece. Throws a RangeError for a length that no message has. */
  add(piece: Buffer): Message[] {
    const messages: Message[] = []
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + this.#wanted - this.#size)
      at += part.length
      // The caller's memory is read into again.
      if (this.#isKept) this.#pieces.push(Buffer.from(part))
      this.#size += part.length
      if (this.#size === HEADER_BYTES && this.#wanted === HEADER_BYTES)
        this.#wanted = this.#length()
      if (this.#size === this.#wanted) messages.push(this.#end())
    }
    return messages
  }

  #length(): number {
    this.#pieces = [Buffer.concat(this.#pieces)]
    const length = this.#pieces[0]?.readUInt32BE(0) ?? 0
    if (length <= MOST_SKIPPED_BYTES) return HEADER_BYTES + length
    throw new RangeError(
      `Cannot read a message of ttrpc: it is to have ${length} bytes, and none has more than ${MOST_SKIPPED_BYTES}`,
    )
  }

  #end(): Message {
    const message = Buffer.concat(this.#pieces)
    const data = this.#isKept ? message.subarray(HEADER_BYTES) : undefined
    this.#pieces = []
    this.#size = 0
    this.#wanted = HEADER_BYTES
    return {
      stream: message.readUInt32BE(4),
      type: message[8] ?? 0,
      data,
    }
  }
}

export interface Request {
  service: string
  method: string
  payload: Uint8Array
}

export function parseRequest(data: Uint8Array): Request {
  const request: Request = { service: '', method: '', payload: new Uint8Array() }
  readMessage('a request of ttrpc', data, {
    1: textInto(request, 'service'),
    2: textInto(request, 'method'),
    3: bytes(value => {
      request.payload = value
    }),
  })
  return request
}

export function renderRequest({ service, method, payload }: Request): Buffer {
  const writer = new BinaryWriter()
  writeText(writer, 1, service)
  writeText(writer, 2, method)
  writeBytes(writer, 3, payload)
  return Buffer.from(writer.finish())
}

export interface Response {
  /** OK, or what went wrong. */
  code: number
  /** What is said of that. */
  message: string
  payload: Uint8Array
}

export function parseResponse(data: Uint8Array): Response {
  const response: Response = { code: OK, message: '', payload: new Uint8Array() }
  readMessage('a response of ttrpc', data, {
    1: bytes(status =>
      readMessage('a status of ttrpc', status, {
        1: number(value => {
          response.code = value
        }),
        2: textInto(response, 'message'),
      }),
    ),
    2: bytes(value => {
      response.payload = value
    }),
  })
  return response
}

export function renderResponse({ code, message, payload }: Response): Buffer {
  const writer = new BinaryWriter()
  if (code !== OK) {
    writeMessage(writer, 1, status => {
      writeNumber(status, 1, code)
      writeText(status, 2, message)
    })
  }
  if (payload.length > 0) writeBytes(writer, 2, payload)
  return Buffer.from(writer.finish())
}
