/** Counters by name: what is counted never falls, also when it was hidden for a while. */

export class Counters {
  readonly #values = new Map<string, number>()
  /** How often a name came back after it had been away. */
  returned = 0
  #present = new Set<string>()

  /** Says which values fell. Names that are missing keep their last value. */
  check(values: Iterable<readonly [name: string, value: number]>): string[] {
    const fallen: string[] = []
    const present = new Set<string>()
    for (const [name, value] of values) {
      const last = this.#values.get(name)
      if (!(value >= (last ?? 0))) fallen.push(`${name} was ${last} and is ${value}`)
      if (last !== undefined && !this.#present.has(name)) this.returned++
      this.#values.set(name, value)
      present.add(name)
    }
    this.#present = present
    return fallen
  }

  get(name: string): number | undefined {
    return this.#values.get(name)
  }
}

/** Every number of every line by the line's first word that is none, such as `cpu0 3` or `sda 5`. */
export function* numbersOf(lines: Iterable<string>): Generator<readonly [string, number]> {
  for (const line of lines) {
    const words = line.trim().split(/[ :]+/)
    const at = words.findIndex(word => !/^\d+$/.test(word))
    for (const [i, word] of words.slice(at + 1).entries()) {
      yield [`${words[at]} ${i}`, Number(word)]
    }
  }
}
