/** The signals that tell a keeper what to do. They are taken one after the other. */

export type KeeperSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

const SIGNALS: readonly KeeperSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP']

export class Signals {
  readonly #waiting: KeeperSignal[] = []
  #wake: (() => void) | undefined

  readonly #take = (name: KeeperSignal) => {
    this.#waiting.push(name)
    this.#wake?.()
  }

  /** From now on the signals do not end the process. */
  constructor() {
    for (const name of SIGNALS) process.on(name, this.#take)
  }

  release(): void {
    for (const name of SIGNALS) process.off(name, this.#take)
  }

  /** Returns the next signal, or what `other` resolves to if that comes first. */
  async or<T>(other: Promise<T>): Promise<KeeperSignal | T> {
    const woken = new Promise<void>(resolve => {
      this.#wake = resolve
      if (this.#waiting.length > 0) resolve()
    })
    const result = await Promise.race([woken, other])
    return result ?? (this.#waiting.shift() as KeeperSignal)
  }
}
