/** How many servers a mount has had: a number in the run directory, beside what they hand on to each other. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Counts one more; to be called by the only server that answers. Without room for it the count stays. */
export function countStart(runDirectory: string, isFirst: boolean): number {
  const file = `${runDirectory}/servers`
  const count = (isFirst ? 0 : readCount(file)) + 1
  try {
    writeFileSync(file, `${count}\n`, { mode: 0o600 })
  } catch {
    rmSync(file, { force: true })
  }
  return count
}

function readCount(file: string): number {
  try {
    const count = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(count) ? count : 0
  } catch {
    return 0
  }
}
