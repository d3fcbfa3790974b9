/** Numbers that outlive the server that has counted them: what a view has accumulated, and what it has said last. */

export interface Kept {
  /** How many numbers are kept; 0 before the first `store`. */
  readonly count: number
  /** Copies the numbers to the start of `to`, which has room for them. */
  load(to: Float64Array): void
  /**
   * Keeps the first `count` of `numbers` instead of those before. When the server is killed meanwhile, all of these are
   * kept or all of those.
   */
  store(numbers: Float64Array, count: number): void
}

/** Finds the numbers of one view by what they count: one of `WHAT`, or a disk. */
export type FindKept = (what: number) => Kept

/** What numbers count. A disk's own number is added to the last of these. */
export const WHAT = {
  cpu: 1,
  load: 2,
  /** These are the last answers of a view: see last-known.ts. */
  memory: 3,
  cpus: 4,
  age: 5,
  bootOffset: 6,
  cgroups: 7,
  events: 8,
  disk: 16,
} as const

/** Numbers that are kept only as long as this process runs. */
export class OwnNumbers implements Kept {
  count = 0
  #numbers = new Float64Array()

  load(to: Float64Array): void {
    for (let i = 0; i < this.count; i++) to[i] = this.#numbers[i] as number
  }

  store(numbers: Float64Array, count: number): void {
    if (count > this.#numbers.length) this.#numbers = new Float64Array(count)
    for (let i = 0; i < count; i++) this.#numbers[i] = numbers[i] as number
    this.count = count
  }
}

/** Finds nothing that an earlier server has kept, and keeps nothing for a later one. */
export function keptHere(): FindKept {
  const known = new Map<number, Kept>()
  return what => {
    const kept = known.get(what) ?? new OwnNumbers()
    known.set(what, kept)
    return kept
  }
}

/** The array itself when it has room for `count` numbers, else a longer one with the same numbers. */
export function withRoom(
  numbers: Float64Array<ArrayBuffer>,
  count: number,
): Float64Array<ArrayBuffer> {
  if (count <= numbers.length) return numbers
  const longer = new Float64Array(2 * count)
  longer.set(numbers)
  return longer
}
