/**
 * The files in the run directory that say which process keeps the mount, and which answers there. The first is read by
 * the commands that tell the keeper something, and by those that ask about it; the second by the keeper of a new mount.
 */

import { readFileSync, rmSync } from 'node:fs'
import { isAlive, type KnownProcess } from '../container/identity.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { replaceFileAnyhow } from '../host/replace-file.ts'
import type { Options } from '../proc/options.ts'
import { parseDefaults } from './config.ts'

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
  /** The options of containers that have none of their own, as the configuration file has them. */
  options?: string
}

const file = (runDirectory: string) => `${runDirectory}/service.json`

export function writeStatus(runDirectory: string, status: Status): void {
  replaceFileAnyhow(file(runDirectory), `${JSON.stringify(status)}\n`)
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

/** Returns the options that the last keeper had, dead or alive; `undefined` where they are not known. */
export function findLastOptions(runDirectory: string): Options | undefined {
  return orUndefined(() => {
    const { options } = JSON.parse(readFileSync(file(runDirectory), 'utf8')) as Status
    return options === undefined ? undefined : parseDefaults(options, file(runDirectory))
  })
}

/** What readers were in the middle of ends with the mount. Devices are looked for when somebody reads again. */
export function removeTexts(runDirectory: string): void {
  for (const name of ['texts', 'devices']) {
    rmSync(`${runDirectory}/${name}`, { recursive: true, force: true })
  }
}

const answeringFile = (runDirectory: string) => `${runDirectory}/server.json`

/** To be called by a server before it answers. */
export function writeAnswering(runDirectory: string, server: KnownProcess): void {
  replaceFileAnyhow(answeringFile(runDirectory), `${JSON.stringify(server)}\n`)
}

/** Returns the pid of the server that was the last to answer; `undefined` when it has ended. */
export function findAnswering(host: Host, runDirectory: string): number | undefined {
  try {
    const server = JSON.parse(readFileSync(answeringFile(runDirectory), 'utf8')) as KnownProcess
    return isAlive(host, server) ? server.pid : undefined
  } catch {
    // The file is missing or damaged.
    return undefined
  }
}
