/**
 * What views have accumulated. Each view has a file in the run directory that outlives the server, so that no counter
 * falls when another server takes over. The file is written in one step, before a reader sees the numbers.
 */

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { type Fields, objectOf } from '../host/json.ts'
import { replaceFile } from '../host/replace-file.ts'

export class States {
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/state`
  }

  /** Makes the directory. This must be called once before the first `save`, which does nothing where it failed. */
  prepare(): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    } catch {}
  }

  /** What was saved, parsed from its JSON; `{}` when there is none, or it was damaged. */
  load(slot: number): Fields {
    try {
      return objectOf(JSON.parse(readFileSync(this.#file(slot), 'utf8'))) ?? {}
    } catch {
      return {}
    }
  }

  /** A view goes on when there is no room to save its state: the loss would show only after a restart. */
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
