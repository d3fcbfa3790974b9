/**
 * What views have accumulated, a file for each in the run directory: it outlives the server, so that no counter falls
 * when another one takes over. Written before a reader sees the numbers, in one step.
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { CpuAccountState } from '../proc/cpu/account.ts'
import type { DiskAccountState } from '../proc/disk/account.ts'
import type { LoadState } from '../view/load-sampler.ts'

export interface ViewState {
  cpu?: CpuAccountState | undefined
  load?: LoadState | undefined
  disks?: DiskAccountState | undefined
}

export class States {
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/state`
  }

  /** To be called once before the first `save`, which does nothing where this failed. */
  prepare(): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    } catch {}
  }

  /** Empty when there is none, or one that was damaged. */
  load(slot: number): ViewState {
    try {
      return JSON.parse(readFileSync(this.#file(slot), 'utf8')) as ViewState
    } catch {
      return {}
    }
  }

  /** Without room for it the view goes on: only a restart would show. */
  save(slot: number, json: string): void {
    const temporary = `${this.#file(slot)}.new`
    try {
      writeFileSync(temporary, json, { mode: 0o600 })
      renameSync(temporary, this.#file(slot))
    } catch {
      remove(temporary)
    }
  }

  remove(slot: number): void {
    remove(this.#file(slot))
  }

  #file(slot: number): string {
    return `${this.#directory}/${slot}.json`
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {}
}
