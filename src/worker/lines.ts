/** Cuts what comes in pieces into lines. */

export class Lines {
  readonly #mostBytes: number
  #pieces: Buffer[] = []
  #length = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Returns the lines that end in this piece. Throws a RangeError when a line gets too long. */
  add(piece: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      lines.push(Buffer.concat([...this.#pieces, piece.subarray(start, end)]).toString())
      this.#pieces = []
      this.#length = 0
      start = end + 1
    }
    const rest = piece.subarray(start)
    this.#length += rest.length
    if (this.#length > this.#mostBytes) {
      throw new RangeError(`Cannot take a line of more than ${this.#mostBytes} bytes`)
    }
    if (rest.length > 0) this.#pieces.push(Buffer.from(rest))
    return lines
  }
}
