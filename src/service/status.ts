/**
 * The file in the run directory that says which process keeps the mount. It is read by the commands that tell the
 * keeper something, and by those that ask about it.
 */

import { readFileSync, rmSync } from 'node:fs'
import { isAlive } from '../container/identity.ts'
import type { Host } from '../host/host.ts'
import { replaceFile } from '../host/replace-file.ts'

export interface Status {
  /** The pid of the keeper. It identifies one process only together with `startTicks`. */
  pid: number
  startTicks: number
  version: string
  /** The path of the keeper's executable when the keeper was started. */
  executable: string
  /**
   * The time of day in milliseconds from which the keeper serves. An upgraded keeper has the same pid and a later
   * time.
   */
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
    // The file is missing or damaged.
    return undefined
  }
}
