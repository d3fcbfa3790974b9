/** The lines of cpuinfo that say where in the machine a CPU sits. */

import type { Options } from './options.ts'

/**
 * Numbers by key for the virtual CPU `i` of `count`. With `openeuler` each is a socket of its own, with
 * `single-socket` each is a core of one socket; with `host` the host's lines stand.
 */
export function topologyNumbers(
  topology: Options['topology'],
  i: number,
  count: number,
): Map<string, number> {
  if (topology === 'host') return new Map()
  const oneSocket = topology === 'single-socket'
  const socket = oneSocket ? 0 : i
  const core = oneSocket ? i : 0
  const perSocket = oneSocket ? count : 1
  return new Map([
    // x86 and s390
    ['physical id', socket],
    ['siblings', perSocket],
    ['core id', core],
    ['cpu cores', perSocket],
    // x86
    ['apicid', i],
    ['initial apicid', i],
    // loongarch
    ['package', socket],
    ['core', core],
    ['global_id', i],
  ])
}

/** The text with other numbers in its lines `key : NUMBER`; the blanks around the colon stay. */
export function setNumbers(text: string, numbers: ReadonlyMap<string, number>): string {
  let changed = ''
  let kept = 0
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const colon = text.indexOf(':', at)
    if (colon < 0) break
    if (colon > end) continue
    const number = numbers.get(text.slice(at, colon).trimEnd())
    const old = number === undefined ? null : NUMBER.exec(text.slice(colon + 1, end))
    if (old === null) continue
    const [, blanks = '', digits = ''] = old
    const from = colon + 1 + blanks.length
    changed += text.slice(kept, from) + number
    kept = from + digits.length
  }
  return changed + text.slice(kept)
}

const NUMBER = /^([ \t]*)(\d+)[ \t]*$/
