/**
 * Masks of CPUs as `%*pb` of lib/vsprintf.c writes them: hexadecimal digits, 32 bits a group with commas between, the
 * highest CPU first, as wide as the kernel's mask.
 */

const BITS_EACH = 4
const DIGITS_EACH = 8
const MASK = /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/i

/** The numbers in a mask, ascending; `undefined` for other text. */
export function parseCpuMask(text: string): number[] | undefined {
  const mask = text.trim()
  if (!MASK.test(mask)) return undefined
  const digits = mask.replaceAll(',', '')
  const cpus: number[] = []
  for (let i = 0; i < digits.length; i++) {
    const bits = Number.parseInt(digits.charAt(digits.length - 1 - i), 16)
    for (let bit = 0; bit < BITS_EACH; bit++) {
      if ((bits & (1 << bit)) !== 0) cpus.push(i * BITS_EACH + bit)
    }
  }
  return cpus
}

/** A mask as wide as `like`, or wider where the numbers need that; without a newline. */
export function renderCpuMask(cpus: readonly number[], like: string): string {
  const width = like.trim().replaceAll(',', '').length
  const needed = Math.floor((cpus.at(-1) ?? 0) / BITS_EACH) + 1
  const digits = new Array<number>(Math.max(width, needed)).fill(0)
  for (const cpu of cpus) {
    const at = digits.length - 1 - Math.floor(cpu / BITS_EACH)
    digits[at] = (digits[at] ?? 0) | (1 << (cpu % BITS_EACH))
  }
  let text = ''
  digits.forEach((digit, i) => {
    const left = digits.length - i
    text += (i > 0 && left % DIGITS_EACH === 0 ? ',' : '') + digit.toString(16)
  })
  return text
}
