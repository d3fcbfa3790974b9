/**
 * SipHash-2-4, https://www.aumasson.jp/siphash/siphash.pdf: a hash that nobody can steer who does not know the key.
 * node:crypto has keyed hashes too, but takes a hook several times as long to load as this takes in all.
 */

const MASK = 2n ** 64n - 1n

/** Rotates a 64-bit number to the left. */
const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK

/** The hash as a number of 64 bits. `key` has 16 bytes. */
export function sipHash(key: Buffer, message: Buffer): bigint {
  const k0 = key.readBigUInt64LE(0)
  const k1 = key.readBigUInt64LE(8)
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n
  const round = () => {
    v0 = (v0 + v1) & MASK
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & MASK
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  // The last word holds what is left of the message, and its length in the highest byte.
  const padded = Buffer.alloc((message.length & ~7) + 8)
  message.copy(padded)
  padded[padded.length - 1] = message.length & 0xff
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at)
    v3 ^= word
    round()
    round()
    v0 ^= word
  }
  v2 ^= 0xffn
  for (let i = 0; i < 4; i++) round()
  return v0 ^ v1 ^ v2 ^ v3
}
