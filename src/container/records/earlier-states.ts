/** What views have accumulated under a version that wrote it into a JSON file for each container. */

import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { orUndefined } from '../../host/host.ts'
import { type Fields, objectOf, tryParseJson } from '../../host/json.ts'

const FILE = /^([1-9]\d*)\.json$/

export class EarlierStates {
  readonly #directory: string
  readonly #slots = new Set<number>()

  /** Files of containers that are not registered any more are removed. */
  constructor(runDirectory: string, isRegistered: (slot: number) => boolean) {
    this.#directory = `${runDirectory}/state`
    for (const name of orUndefined(() => readdirSync(this.#directory)) ?? []) {
      const slot = Number(FILE.exec(name)?.[1])
      if (slot > 0 && isRegistered(slot)) this.#slots.add(slot)
      else this.#remove(name)
    }
    this.#removeDirectory()
  }

  /** What was written down for the slot, which `use` is given once; then the file is removed. */
  take(slot: number, use: (fields: Fields) => void): void {
    if (!this.#slots.delete(slot)) return
    const name = `${slot}.json`
    const text = orUndefined(() => readFileSync(`${this.#directory}/${name}`, 'utf8'))
    const fields = objectOf(tryParseJson(text ?? ''))
    if (fields !== undefined) use(fields)
    this.#remove(name)
    this.#removeDirectory()
  }

  #remove(name: string): void {
    orUndefined(() => rmSync(`${this.#directory}/${name}`, { recursive: true, force: true }))
  }

  #removeDirectory(): void {
    if (this.#slots.size === 0) orUndefined(() => rmdirSync(this.#directory))
  }
}
