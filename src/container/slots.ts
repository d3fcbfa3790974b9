/**
 * Which container has which slot. A slot follows from the container and from a secret of the run directory, so that
 * nobody can choose an id that has a neighbour's slot; and a link `slots/SLOT` names the one container that has it.
 */

import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { orUndefined } from '../host/host.ts'
import { type Described, MAX_SLOT } from './container.ts'
import { sipHash } from './siphash.ts'

const KEY_BYTES = 16

export class Slots {
  readonly #directory: string
  readonly #keyFile: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/slots`
    this.#keyFile = `${runDirectory}/slot.key`
  }

  /**
   * The slot of a container, from 1 on. A registration that was lost and made again gets the same slot, which fits the
   * files that are bound already. A container that is started again gets another one.
   */
  make({ id, pid, startTicks }: Pick<Described, 'id' | 'pid' | 'startTicks'>): number {
    return 1 + this.hash(`${id} ${pid} ${startTicks}`, MAX_SLOT - 1)
  }

  /** A number below `end` that nobody can choose a text for. */
  hash(text: string, end: number): number {
    return Number(sipHash(this.#key(), Buffer.from(text)) % BigInt(end))
  }

  /** Gives the slot to a container. `isHeld` tells whether the one that the link names has the slot still. Throws then. */
  claim(slot: number, id: string, isHeld: (other: string) => boolean): void {
    if (tryLink(id, this.#link(slot))) return
    const other = this.owner(slot)
    if (other === id) return
    if (other !== undefined && isHeld(other)) {
      throw new Error(
        `Cannot give slot ${slot} to ${id}: the container ${other} has it; start ${id} again, and it gets another one`,
      )
    }
    this.#remove(slot)
    symlinkSync(id, this.#link(slot))
  }

  /** The id of the container that has the slot; `undefined` where an earlier version registered it, which had no links. */
  owner(slot: number): string | undefined {
    return orUndefined(() => readlinkSync(this.#link(slot)))
  }

  /** Frees the slot, if the container has it. */
  release(slot: number, id: string): void {
    if (this.owner(slot) === id) this.#remove(slot)
  }

  #link(slot: number): string {
    return `${this.#directory}/${slot}`
  }

  #remove(slot: number): void {
    rmSync(this.#link(slot), { force: true })
  }

  /** Makes the directory of the links. To be called before `claim`. */
  prepare(): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
  }

  /** The secret is made once. Of two processes that make one at a time, both get that of the first. */
  #key(): Buffer {
    const known = this.#readKey()
    if (known?.length === KEY_BYTES) return known
    const temporary = `${this.#keyFile}.${process.pid}`
    try {
      rmSync(temporary, { force: true })
      const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
      writeFileSync(temporary, key, { mode: 0o600, flag: 'wx' })
      // A key that was damaged is of no use to anybody.
      if (known !== undefined) rmSync(this.#keyFile, { force: true })
      orUndefined(() => linkSync(temporary, this.#keyFile))
    } finally {
      rmSync(temporary, { force: true })
    }
    const made = this.#readKey()
    if (made?.length === KEY_BYTES) return made
    throw new Error(`Cannot make ${this.#keyFile}: it does not hold ${KEY_BYTES} bytes afterwards`)
  }

  #readKey(): Buffer | undefined {
    return orUndefined(() => readFileSync(this.#keyFile))
  }
}

/** Returns false where there is such a link already. */
function tryLink(target: string, path: string): boolean {
  try {
    symlinkSync(target, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
