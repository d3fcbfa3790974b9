/** The first line of meminfo: the quickest sign of whose file somebody reads. */

import { readFileSync } from 'node:fs'
import type { Box } from './box.ts'

/** KiB as written; '' when it is not there. */
export const parseMemTotal = (text: string) => /^MemTotal: +(\d+)/.exec(text)?.[1] ?? ''

export const HOST_KIB = parseMemTotal(readFileSync('/proc/meminfo', 'utf8'))

/** What the container sees, through the root of its init: it may have no shell. Throws what the kernel says. */
export async function readMemTotal(box: Box): Promise<string> {
  return parseMemTotal(readFileSync(`/proc/${await box.pid()}/root/proc/meminfo`, 'utf8'))
}
