/**
 * A file of records of one size, mapped into memory. A record holds numbers twice, and a sequence number that tells
 * which of the two copies is valid: a store goes to the other copy and ends with the sequence number. Every single store
 * leaves a valid file, so a server may be killed at any of them.
 */

import { MAX_SLOT } from '../container.ts'

/** What a record is of: a container's slot, a hash of its id, and what is counted. */
export interface Owner {
  slot: number
  identity: number
  what: number
}

/** Where a record is: its cells are `cells` numbers from `at` on. */
export interface Place {
  readonly numbers: Float64Array
  readonly at: number
  readonly cells: number
}

/** Another layout of a file or a record, or of what is in a record, gets another version. */
const MAGIC = 0x70726f63
const VERSION = 1

/** The file's first cells. */
const FILE_MAGIC = 0
const FILE_VERSION = 1
const FILE_CELLS = 2
const FILE_HEAD = 8

/** A record's first cells. No container has the slot 0, which makes a record free. */
const SLOT = 0
const IDENTITY = 1
const FOR = 2
const SEQUENCE = 3
const HEAD = 4

/** A segment has some 128 KiB, or one record that is larger. */
const SEGMENT_CELLS = 2 ** 14
const LEAST_CELLS = 32

/** How large a record must be for so many numbers: there are few sizes, so that a free record serves others. */
export function cellsFor(count: number): number {
  let cells = LEAST_CELLS
  while (roomOf(cells) < count) cells *= 2
  return cells
}

/** How many numbers a record of so many cells holds. Each copy begins with their count. */
const roomOf = (cells: number): number => copyCells(cells) - 1
const copyCells = (cells: number): number => (cells - HEAD) / 2

const recordsIn = (cells: number): number =>
  Math.max(Math.floor((SEGMENT_CELLS - FILE_HEAD) / cells), 1)

/** How many numbers the file of records of so many cells has. */
export const segmentLength = (cells: number): number => FILE_HEAD + recordsIn(cells) * cells

/** Makes the zeros of a new file a segment. */
export function begin(numbers: Float64Array, cells: number): void {
  numbers[FILE_CELLS] = cells
  numbers[FILE_VERSION] = VERSION
  numbers[FILE_MAGIC] = MAGIC
}

/** Why the numbers are no segment with records of so many cells; `undefined` when they are one. */
export function findFault(numbers: Float64Array, cells: number): string | undefined {
  if (numbers[FILE_MAGIC] !== MAGIC) return 'it does not begin as such a file does'
  const version = numbers[FILE_VERSION]
  if (version !== VERSION) return `it has version ${version}, not ${VERSION}`
  const found = numbers[FILE_CELLS]
  return found === cells ? undefined : `its records have ${found} numbers, not ${cells}`
}

export function placesIn(numbers: Float64Array, cells: number): Place[] {
  return Array.from({ length: recordsIn(cells) }, (_, i) => ({
    numbers,
    at: FILE_HEAD + i * cells,
    cells,
  }))
}

export function ownerAt({ numbers, at }: Place): Owner {
  return {
    slot: numbers[at + SLOT] as number,
    identity: numbers[at + IDENTITY] as number,
    what: numbers[at + FOR] as number,
  }
}

export function isOwner({ numbers, at }: Place, owner: Owner): boolean {
  return (
    numbers[at + SLOT] === owner.slot &&
    numbers[at + IDENTITY] === owner.identity &&
    numbers[at + FOR] === owner.what
  )
}

export const isFree = ({ numbers, at }: Place): boolean => numbers[at + SLOT] === 0

/** Whether the record is one that `claim` and `store` have made. */
export function isSound(place: Place): boolean {
  const { numbers, at } = place
  const slot = numbers[at + SLOT] as number
  const sequence = numbers[at + SEQUENCE] as number
  const count = countAt(place)
  return (
    Number.isInteger(slot) &&
    slot >= 1 &&
    slot <= MAX_SLOT &&
    Number.isSafeInteger(sequence) &&
    sequence >= 1 &&
    Number.isInteger(count) &&
    count >= 0 &&
    count <= roomOf(place.cells)
  )
}

/** Frees the record, which keeps no numbers from then on. */
export function free({ numbers, at }: Place): void {
  numbers[at + SLOT] = 0
}

/** Gives a free record to an owner, with its first numbers. It is free until the last of these stores. */
export function claim(place: Place, owner: Owner, from: Float64Array, count: number): void {
  const { numbers, at } = place
  numbers[at + SEQUENCE] = 0
  store(place, from, count)
  numbers[at + IDENTITY] = owner.identity
  numbers[at + FOR] = owner.what
  numbers[at + SLOT] = owner.slot
}

export const hasRoom = ({ cells }: Place, count: number): boolean => count <= roomOf(cells)

export function store(place: Place, from: Float64Array, count: number): void {
  const { numbers, at } = place
  const sequence = (numbers[at + SEQUENCE] as number) + 1
  const copy = copyAt(place, sequence)
  numbers[copy] = count
  for (let i = 0; i < count; i++) numbers[copy + 1 + i] = from[i] as number
  numbers[at + SEQUENCE] = sequence
}

export function countAt(place: Place): number {
  const { numbers, at } = place
  return numbers[copyAt(place, numbers[at + SEQUENCE] as number)] as number
}

export function load(place: Place, to: Float64Array): void {
  const { numbers, at } = place
  const copy = copyAt(place, numbers[at + SEQUENCE] as number)
  const count = numbers[copy] as number
  for (let i = 0; i < count; i++) to[i] = numbers[copy + 1 + i] as number
}

function copyAt({ at, cells }: Place, sequence: number): number {
  return at + HEAD + (sequence % 2) * copyCells(cells)
}
