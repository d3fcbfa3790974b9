/** The signals by which a keeper is told what to do, one after the other. */

export type Order = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

const ORDERS: readonly Order[] = ['SIGTERM', 'SIGINT', 'SIGHUP']

export class Signals {
  readonly #waiting: Order[] = []
  #wake: (() => void) | undefined

  readonly #take = (name: Order) => {
    this.#waiting.push(name)
    this.#wake?.()
  }

  /** From now on they do not end the process. */
  constructor() {
    for (const name of ORDERS) process.on(name, this.#take)
  }

  release(): void {
    for (const name of ORDERS) process.off(name, this.#take)
  }

  /** The next order, or what `other` says if that comes first. */
  async or<T>(other: Promise<T>): Promise<Order | T> {
    const woken = new Promise<void>(resolve => {
      this.#wake = resolve
      if (this.#waiting.length > 0) resolve()
    })
    const result = await Promise.race([woken, other])
    return result ?? (this.#waiting.shift() as Order)
  }
}
