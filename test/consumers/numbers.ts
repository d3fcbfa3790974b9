/** What no consumer can do with: numbers that the kernel never writes, and files that do not end as its own. */

import { isU64, refuse } from './refusal.ts'

const ANYBODY = 'anybody'

/** These may be empty: no disk that the container sees, no CPU that it does not. */
const MAY_BE_EMPTY = new Set(['proc/diskstats', 'sys/devices/system/cpu/offline'])

/** arch/x86/kernel/cpu/proc.c and others end each record with a blank line, block/genhd.c the heading. */
const MAY_END_BLANK = new Set(['proc/cpuinfo', 'proc/partitions'])

/** The priority of swap that the kernel chose itself is negative. */
const MAY_BE_NEGATIVE = new Set(['proc/swaps'])

/** Lines of these begin with a name that the kernel's modules choose, which may look like a number. */
const BEGINS_WITH_NAME = new Set(['proc/slabinfo'])

/** `path` is the file's, such as `proc/stat`. */
export function checkNumbers(path: string, whole: string): void {
  checkEnd(path, whole)
  const text = BEGINS_WITH_NAME.has(path) ? whole.replace(/^[^\s\0]+/gm, 'name') : whole
  if (text.includes('\0')) refuse(ANYBODY, `${path} with a NUL`, around(text, text.indexOf('\0')))
  // cpuinfo has words such as null_seg.
  const wrong = /(?<![a-z_])(?:NaN|Infinity|undefined|null)(?![a-z_])|\d[eE][+-]\d/.exec(text)
  if (wrong !== null) refuse(ANYBODY, `a number in ${path}`, around(text, wrong.index))
  const negative = /(?:^|[\s=:])-\d/m.exec(text)
  if (negative !== null && !MAY_BE_NEGATIVE.has(path)) {
    refuse(ANYBODY, `a count in ${path}`, around(text, negative.index))
  }
  for (const { 0: digits, index } of text.matchAll(/(?<![\w.])\d{20,}(?![\w.])/g)) {
    if (!isU64(digits)) refuse(ANYBODY, `a 64-bit number in ${path}`, around(text, index))
  }
}

function checkEnd(path: string, text: string): void {
  if (MAY_BE_EMPTY.has(path) && (text === '' || text === '\n')) return
  if (text === '') refuse(ANYBODY, path, text)
  if (!text.endsWith('\n')) refuse(ANYBODY, `the last line of ${path}`, text.slice(-80))
  if (text.endsWith('\n\n') && !MAY_END_BLANK.has(path)) {
    refuse(ANYBODY, `the last line of ${path}`, text.slice(-80))
  }
}

const around = (text: string, at: number) => text.slice(Math.max(at - 40, 0), at + 40)
