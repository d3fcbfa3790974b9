/** Who keeps the mount, in the run directory: for the commands that tell it something, and those that ask. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isAlive } from '../container/identity.ts'
import type { Host } from '../host/host.ts'

export interface Status {
  /** Of the keeper; one process only together with `startTicks`. */
  pid: number
  startTicks: number
  version: string
  /** Where its executable was when it started. */
  executable: string
  /** Time of day in milliseconds from which it serves: an upgraded keeper has the same pid and a later one. */
  sinceMs: number
}

const file = (runDirectory: string) => `${runDirectory}/service.json`

export function writeStatus(runDirectory: string, status: Status): void {
  const temporary = `${file(runDirectory)}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(status)}\n`, { mode: 0o600 })
  renameSync(temporary, file(runDirectory))
}

export function removeStatus(runDirectory: string): void {
  rmSync(file(runDirectory), { force: true })
}

/** `undefined` when no keeper runs. */
export function findKeeper(host: Host, runDirectory: string): Status | undefined {
  try {
    const status = JSON.parse(readFileSync(file(runDirectory), 'utf8')) as Status | null
    return status !== null && isAlive(host, status) ? status : undefined
  } catch {
    // There is none, or it was damaged.
    return undefined
  }
}
