/**
 * The containers that have a view. Each has a file in the run directory, which a hook writes and the server reads when
 * it is asked for that container. Nothing else is kept, so a restarted server needs no replay.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { replaceFile } from '../host/replace-file.ts'
import { type Container, isId, parseContainer, renderContainer } from './container.ts'
import { States } from './states.ts'

const SUFFIX = '.json'
const NAME_MAX = 255

export class Registry {
  readonly #runDirectory: string
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#runDirectory = runDirectory
    this.#directory = `${runDirectory}/containers`
  }

  /** Replaces an earlier registration of the same id in one step: a reader sees the old or the new one, whole. */
  register(container: Container): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      replaceFile(this.#file(container.id), renderContainer(container))
    } catch (cause) {
      throw new Error(`Cannot register ${container.id} in ${this.#directory}`, { cause })
    }
  }

  /** Removes a registration, and what its view has accumulated. Does nothing when there is no such registration. */
  forget(id: string): void {
    const container = this.find(id)
    if (container !== undefined) new States(this.#runDirectory).remove(container.slot)
    rmSync(this.#file(id), { force: true })
  }

  /** `undefined` for text that can be no id, for an id that is not registered, and when its file was damaged. */
  find(id: string): Container | undefined {
    if (!isId(id)) return undefined
    try {
      const container = parseContainer(readFileSync(this.#file(id), 'utf8'))
      return container.id === id ? container : undefined
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return undefined
      if (error instanceof Error && 'code' in error) return undefined
      throw error
    }
  }

  ids(): string[] {
    try {
      return readdirSync(this.#directory)
        .filter(name => !name.startsWith('.'))
        .map(name => (name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name))
    } catch {
      return []
    }
  }

  *containers(): Generator<Container> {
    for (const id of this.ids()) {
      const container = this.find(id)
      if (container !== undefined) yield container
    }
  }

  /** When a registration was last made, replaced or forgotten, in nanoseconds; 0 when there was none yet. */
  changedNs(): bigint {
    try {
      return statSync(this.#directory, { bigint: true }).mtimeNs
    } catch {
      return 0n
    }
  }

  /** The longest ids leave no room for a suffix: NAME_MAX is 255. */
  #file(id: string): string {
    const name = `${id}${SUFFIX}`
    return `${this.#directory}/${name.length > NAME_MAX ? id : name}`
  }
}
