/**
 * What views have accumulated, a file for each in the run directory: it outlives the server, so that no counter falls
 * when another one takes over. Written before a reader sees the numbers, in one step.
 */

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { replaceFile } from '../host/replace-file.ts'

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

  /** What was parsed from the JSON that was saved; `{}` when there is none, or it was damaged. */
  load(slot: number): unknown {
    try {
      return JSON.parse(readFileSync(this.#file(slot), 'utf8'))
    } catch {
      return {}
    }
  }

  /** Without room for it the view goes on: only a restart would show. */
  save(slot: number, json: string): void {
    try {
      replaceFile(this.#file(slot), json)
    } catch {}
  }

  remove(slot: number): void {
    try {
      rmSync(this.#file(slot), { force: true })
    } catch {}
  }

  #file(slot: number): string {
    return `${this.#directory}/${slot}.json`
  }
}
