/**
 * The containers that have a view. Each has a file in the run directory, which a hook writes and the server reads when
 * it is asked for that container. Nothing else is kept, so a restarted server needs no replay.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { orUndefined } from '../host/host.ts'
import { replaceFile } from '../host/replace-file.ts'
import {
  type Container,
  type Described,
  isId,
  parseContainer,
  renderContainer,
} from './container.ts'
import { DeviceFiles } from './device-files.ts'
import { Slots } from './slots.ts'

const SUFFIX = '.json'
const NAME_MAX = 255

/** The longest ids leave no room for a suffix. One that ends like a suffix gets this end: no id has a plus. */
const LONG_SUFFIX = '+json'

export class Registry {
  readonly #runDirectory: string
  readonly #directory: string
  readonly #slots: Slots

  constructor(runDirectory: string) {
    this.#runDirectory = runDirectory
    this.#slots = new Slots(runDirectory)
    this.#directory = `${runDirectory}/containers`
  }

  /**
   * Replaces an earlier registration of the same id in one step: a reader sees the old or the new one, whole. A process
   * that is registered already keeps its slot, which may be one that an earlier version gave it. Throws also when
   * another container has the slot.
   */
  register(described: Described): Container {
    const { id } = described
    // The slot comes last, so that who is registered again has the same text.
    const { slot: given, ...unplaced } = described
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      this.#slots.prepare()
      const earlier = this.find(id)
      const known = earlier && isSame(earlier, described) ? earlier.slot : undefined
      const slot = given ?? known ?? this.#slots.make(described)
      const container = { ...unplaced, slot }
      this.#slots.claim(slot, id, other => this.find(other)?.slot === slot)
      this.#write(id, renderContainer(container))
      if (earlier !== undefined && earlier.slot !== slot) this.#slots.release(earlier.slot, id)
      return container
    } catch (cause) {
      throw new Error(`Cannot register ${id} in ${this.#directory}`, { cause })
    }
  }

  /** What is there already needs no room. */
  #write(id: string, text: string): void {
    const file = this.#file(id)
    if (orUndefined(() => readFileSync(file, 'utf8')) !== text) replaceFile(file, text)
  }

  /**
   * Brings what an earlier version has registered to the form that this one looks for. What cannot be brought there is
   * told to `report`, and the others are.
   */
  migrate(report: (error: Error) => void): void {
    const attempt = (what: string, work: () => void) => {
      try {
        work()
      } catch (cause) {
        report(new Error(`Cannot take over ${what} of an earlier version`, { cause }))
      }
    }
    attempt('the containers', () => {
      for (const id of this.ids()) {
        attempt(`the container ${id}`, () => this.#rename(`${id}${SUFFIX}`))
      }
    })
    attempt('the slots', () => this.#linkSlots(attempt))
  }

  /** An id that is a name without the suffix had the file that is another id's now. */
  #rename(id: string): void {
    const file = `${this.#directory}/${id}`
    if (id.length > NAME_MAX || file === this.#file(id) || !isId(id)) return
    const earlier = readContainer(file)
    if (earlier?.id === id) renameSync(file, this.#file(id))
  }

  /** Links the slots of containers that an earlier version has registered; of two with one slot neither gets it. */
  #linkSlots(attempt: (what: string, work: () => void) => void): void {
    const found = new Map<number, string[]>()
    for (const { slot, id } of this.containers()) {
      if (this.owner(slot) === undefined) found.set(slot, [...(found.get(slot) ?? []), id])
    }
    if (found.size === 0) return
    this.#slots.prepare()
    for (const [slot, [id, ...others]] of found) {
      if (id === undefined || others.length > 0) continue
      attempt(`the slot of ${id}`, () => this.#slots.claim(slot, id, () => true))
    }
  }

  /** The id of the container that has the slot; `undefined` where none has, or an earlier version registered it. */
  owner(slot: number): string | undefined {
    return this.#slots.owner(slot)
  }

  /**
   * Removes a registration, with its devices. Does nothing when there is no such registration. The server finds out by
   * itself that what the view has accumulated is of no use any more.
   */
  forget(id: string): void {
    const container = this.find(id)
    if (container !== undefined) {
      this.#slots.release(container.slot, id)
      new DeviceFiles(this.#runDirectory).remove(container)
    }
    rmSync(this.#file(id), { force: true })
  }

  /** Removes what an earlier start of a container has left, when nobody goes back to its registration any more. */
  forgetEarlier(earlier: Container, { slot, ...described }: Container): void {
    if (earlier.slot !== slot) this.#slots.release(earlier.slot, earlier.id)
    if (!isSame(earlier, described)) new DeviceFiles(this.#runDirectory).remove(earlier)
  }

  /**
   * `undefined` for text that can be no id, for an id that is not registered, and when its file was damaged. Throws when
   * that cannot be told for want of descriptors or memory.
   */
  find(id: string): Container | undefined {
    if (!isId(id)) return undefined
    const container = readContainer(this.#file(id))
    return container?.id === id ? container : undefined
  }

  /** Throws when they cannot be listed: nobody may take that for none. */
  ids(): string[] {
    try {
      return readdirSync(this.#directory)
        .filter(name => !name.startsWith('.'))
        .map(idOf)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
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

  /** Tells one registration of `id` from the next, and when it was made; `undefined` where there is none. */
  stamp(id: string): { version: string; changedMs: number } | undefined {
    const stat = orUndefined(() => statSync(this.#file(id)))
    return stat && { version: `${stat.ino} ${stat.mtimeMs}`, changedMs: stat.mtimeMs }
  }

  #file(id: string): string {
    return `${this.#directory}/${nameOf(id)}`
  }
}

/** No two ids have one name. */
function nameOf(id: string): string {
  const name = `${id}${SUFFIX}`
  if (name.length <= NAME_MAX) return name
  return id.endsWith(SUFFIX) ? `${id.slice(0, -SUFFIX.length)}${LONG_SUFFIX}` : id
}

function idOf(name: string): string {
  if (name.endsWith(LONG_SUFFIX)) return `${name.slice(0, -LONG_SUFFIX.length)}${SUFFIX}`
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name
}

/** The system has no room at this moment. That says nothing about a file. */
const SHORTAGE: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** `undefined` when there is no such file, or it was damaged. */
function readContainer(file: string): Container | undefined {
  try {
    return parseContainer(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    const code = codeOf(error)
    if (code === undefined || SHORTAGE.has(code)) throw error
    return undefined
  }
}

/** Whether both are of the very same process. */
const isSame = (one: Described, other: Described) =>
  one.pid === other.pid && one.startTicks === other.startTicks
