/**
 * Has each container looked at when something has happened to it: one look at a time for each, and another one where
 * something has happened meanwhile. Where a container is not ready, or fails, it is looked at again a few times.
 */

/** Before each look that no event calls for. A runtime writes state some milliseconds after it has made the directory. */
const PAUSES_MS = [20, 100, 500, 2000, 5000]

interface Arrival<Entry> {
  entry: Entry
  isLookedAt: boolean
  /** Whether something has happened since the look began. */
  again: boolean
  tries: number
  timer: NodeJS.Timeout | undefined
}

interface Looks<Entry> {
  /** Returns whether there is nothing more to do for the container. Rejects when that failed. */
  look(entry: Entry): Promise<boolean>
  /** Nothing more is done for the container until it ends. */
  over(entry: Entry): void
  /** It failed, for the last time. */
  failed(entry: Entry, error: unknown): void
}

export class Arrivals<Entry> {
  readonly #looks: Looks<Entry>
  readonly #pausesMs: readonly number[]
  readonly #arrivals = new Map<string, Arrival<Entry>>()
  #isClosed = false

  constructor(looks: Looks<Entry>, pausesMs: readonly number[] = PAUSES_MS) {
    this.#looks = looks
    this.#pausesMs = pausesMs
  }

  /** Something has happened to the container that `key` stands for. */
  happened(key: string, entry: Entry): void {
    if (this.#isClosed) return
    const known = this.#arrivals.get(key)
    if (known?.isLookedAt) {
      known.again = true
      return
    }
    clearTimeout(known?.timer)
    const arrival = known ?? {
      entry,
      isLookedAt: false,
      again: false,
      tries: 0,
      timer: undefined,
    }
    this.#arrivals.set(key, arrival)
    void this.#look(key, arrival)
  }

  /** Begins nothing more. */
  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#arrivals.values()) clearTimeout(timer)
    this.#arrivals.clear()
  }

  /** How many containers are looked at, or will be. */
  get count(): number {
    return this.#arrivals.size
  }

  async #look(key: string, arrival: Arrival<Entry>): Promise<void> {
    arrival.isLookedAt = true
    arrival.again = false
    let failure: { error: unknown } | undefined
    let isDone = false
    try {
      isDone = await this.#looks.look(arrival.entry)
    } catch (error) {
      failure = { error }
    }
    arrival.isLookedAt = false
    if (this.#isClosed) return
    if (arrival.again) {
      void this.#look(key, arrival)
    } else if (isDone) {
      this.#arrivals.delete(key)
      this.#looks.over(arrival.entry)
    } else {
      this.#lookLater(key, arrival, failure)
    }
  }

  #lookLater(key: string, arrival: Arrival<Entry>, failure: { error: unknown } | undefined): void {
    const pauseMs = this.#pausesMs[arrival.tries++]
    if (pauseMs !== undefined) {
      arrival.timer = setTimeout(() => void this.#look(key, arrival), pauseMs)
      return
    }
    this.#arrivals.delete(key)
    // One that is only not ready may be ready in an hour, and is told of then.
    if (failure === undefined) return
    this.#looks.over(arrival.entry)
    this.#looks.failed(arrival.entry, failure.error)
  }
}
