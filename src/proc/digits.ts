/** Numbers as text, put into bytes without making a string. */

/** Puts a whole number of at most 2^53 into `buffer` so that it ends before `end`. Returns where it begins. */
export function putNumber(buffer: Uint8Array, end: number, value: number): number {
  let at = end
  let high = value
  // What fits into 31 bits is divided several times faster.
  while (high >= MOST_SMALL) {
    const rest = Math.floor(high / 10)
    buffer[--at] = ZERO + (high - rest * 10)
    high = rest
  }
  let small = high | 0
  do {
    const rest = (small / 10) | 0
    buffer[--at] = ZERO + (small - rest * 10)
    small = rest
  } while (small > 0)
  return at
}

/** How many digits a whole number of at most 2^53 has. */
export function countDigits(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

const MOST_SMALL = 2 ** 31
const ZERO = 48
