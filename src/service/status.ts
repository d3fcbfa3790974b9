/** Who keeps the mount, in the run directory: for the commands that tell it something, and those that ask. */

import { readFileSync, rmSync } from 'node:fs'
import { isAlive } from '../container/identity.ts'
import type { Host } from '../host/host.ts'
import { replaceFile } from '../host/replace-file.ts'

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
  replaceFile(file(runDirectory), `${JSON.stringify(status)}\n`)
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
