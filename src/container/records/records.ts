/**
 * What views have accumulated, in memory that is mapped from files of the run directory: a store costs no system call,
 * and the next server finds all that was stored. Only the server writes there.
 */

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import type { FindKept, Kept } from '../../proc/kept.ts'
import { hash } from '../identity.ts'
import { KeptRecord } from './kept-record.ts'
import {
  begin,
  cellsFor,
  claim,
  findFault,
  free,
  isFree,
  isOwner,
  isSound,
  type Owner,
  ownerAt,
  type Place,
  placesIn,
  segmentLength,
} from './segment.ts'

/** Maps a file of so many numbers into memory, as mapNumbers() does. Throws when there is no room for it. */
export type MapNumbers = (file: string, count: number) => Float64Array

/** A file is named by the size of its records, and counted. */
const FILE = /^([1-9]\d{1,8})-(0|[1-9]\d{0,8})$/

/** Records of forgotten containers are looked for when there are twice as many as were left, and some. */
const SPARE_RECORDS = 64

export class Records {
  readonly runDirectory: string
  readonly #directory: string
  readonly #map: MapNumbers
  readonly #report: (message: string) => void
  readonly #bySlot = new Map<number, Place[]>()
  readonly #free = new Map<number, Place[]>()
  #taken = 0
  #mostTaken = SPARE_RECORDS
  #nextFile = 0
  #isFull = false

  /** Finds what an earlier server has left. What cannot be used is told to `report` and removed. */
  constructor(runDirectory: string, map: MapNumbers, report: (message: string) => void) {
    this.runDirectory = runDirectory
    this.#directory = `${runDirectory}/records`
    this.#map = map
    this.#report = report
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      for (const name of readdirSync(this.#directory)) this.#open(name)
    } catch (error) {
      report(`cannot use ${this.#directory}: ${error}`)
    }
  }

  /** Finds the numbers of a container. What another one has left that had the same slot is freed. */
  of(slot: number, id: string): FindKept {
    const identity = identityOf(id)
    for (const place of this.#bySlot.get(slot)?.slice() ?? []) {
      if (ownerAt(place).identity !== identity) this.release(place)
    }
    return what => this.#find({ slot, identity, what })
  }

  /** Finds the numbers of the container that had the slot, of which nothing else is left; `undefined` without any. */
  left(slot: number): FindKept | undefined {
    const place = this.#bySlot.get(slot)?.[0]
    if (place === undefined) return undefined
    const { identity } = ownerAt(place)
    return what => this.#find({ slot, identity, what })
  }

  /**
   * Frees the records of containers that are not needed, now and then. To be called when the view of another one is
   * opened, so that there are never many more records than containers need.
   */
  tidy(isNeeded: (slot: number) => boolean): void {
    if (this.#taken < this.#mostTaken) return
    for (const [slot, places] of this.#bySlot) {
      if (!isNeeded(slot)) for (const place of places.slice()) this.release(place)
    }
    this.#mostTaken = 2 * this.#taken + SPARE_RECORDS
  }

  /** Gives the owner a record with these numbers; `undefined` when there is no room. */
  take(owner: Owner, numbers: Float64Array, count: number): Place | undefined {
    const cells = cellsFor(count)
    const place = this.#free.get(cells)?.pop() ?? this.#extend(cells)
    if (place === undefined) return undefined
    claim(place, owner, numbers, count)
    this.#add(place)
    return place
  }

  release(place: Place): void {
    const { slot } = ownerAt(place)
    const places = this.#bySlot.get(slot) ?? []
    const left = places.filter(other => other !== place)
    if (left.length === places.length) return
    if (left.length > 0) this.#bySlot.set(slot, left)
    else this.#bySlot.delete(slot)
    this.#taken--
    free(place)
    this.#addFree(place)
  }

  #find(owner: Owner): Kept {
    const place = this.#bySlot.get(owner.slot)?.find(each => isOwner(each, owner))
    return new KeptRecord(this, owner, place)
  }

  #open(name: string): void {
    const file = `${this.#directory}/${name}`
    const [, size, number = 0] = FILE.exec(name) ?? []
    // A file that cannot be removed keeps its name.
    this.#nextFile = Math.max(this.#nextFile, Number(number) + 1)
    try {
      const fault = this.#openSegment(file, Number(size))
      if (fault === undefined) return
      this.#report(`${file} is not used, and what it held begins anew: ${fault}`)
      rmSync(file, { recursive: true, force: true })
    } catch (error) {
      this.#report(`${file} is not used, and what it held begins anew: ${error}`)
    }
  }

  /** Returns why the file cannot be used, if so. */
  #openSegment(file: string, cells: number): string | undefined {
    if (cellsFor(cells / 4) !== cells) return 'no file of ours has this name'
    const length = segmentLength(cells)
    const bytes = statSync(file).size
    if (bytes !== length * Float64Array.BYTES_PER_ELEMENT) return `it has ${bytes} bytes`
    const numbers = this.#map(file, length)
    const fault = findFault(numbers, cells)
    if (fault !== undefined) return fault
    let damaged = 0
    for (const place of placesIn(numbers, cells)) {
      if (!isFree(place) && isSound(place)) {
        this.#addFound(place)
        continue
      }
      if (!isFree(place)) damaged++
      free(place)
      this.#addFree(place)
    }
    if (damaged > 0) this.#report(`${damaged} records of ${file} are damaged, and begin anew`)
    return undefined
  }

  /** A server that was killed while it moved a record to a larger one has left both: the larger one is newer. */
  #addFound(place: Place): void {
    const owner = ownerAt(place)
    const other = this.#bySlot.get(owner.slot)?.find(each => isOwner(each, owner))
    if (other !== undefined && other.cells >= place.cells) {
      free(place)
      this.#addFree(place)
      return
    }
    if (other !== undefined) this.release(other)
    this.#add(place)
  }

  #add(place: Place): void {
    const { slot } = ownerAt(place)
    const places = this.#bySlot.get(slot)
    if (places === undefined) this.#bySlot.set(slot, [place])
    else places.push(place)
    this.#taken++
  }

  #addFree(place: Place): void {
    const places = this.#free.get(place.cells)
    if (places === undefined) this.#free.set(place.cells, [place])
    else places.push(place)
  }

  /** Makes another file with records of this size, and returns one of them. */
  #extend(cells: number): Place | undefined {
    const file = `${this.#directory}/${cells}-${this.#nextFile}`
    try {
      const numbers = this.#map(file, segmentLength(cells))
      begin(numbers, cells)
      this.#nextFile++
      this.#isFull = false
      const places = placesIn(numbers, cells).reverse()
      this.#free.set(cells, places)
      return places.pop()
    } catch (error) {
      // One message will do for all containers that find no room.
      if (!this.#isFull) {
        this.#report(`cannot keep what a container accumulates for the next server: ${error}`)
      }
      this.#isFull = true
      return undefined
    }
  }
}

/** 52 bits. A slot names one container already: this is for one whose slot was forgotten and given again. */
function identityOf(id: string): number {
  return hash(id, 0) + (hash(id, 1) % 2 ** 20) * 2 ** 32
}
