/** Something that may happen while nobody waits for it, and again before it was seen to. */

export class Bell {
  #rung: Promise<'rung'> | undefined
  #resolve: () => void = () => {}

  /** Resolves when the bell has rung since the last `reset`. */
  get rung(): Promise<'rung'> {
    this.#rung ??= new Promise(resolve => {
      this.#resolve = () => resolve('rung')
    })
    return this.#rung
  }

  ring(): void {
    void this.rung
    this.#resolve()
  }

  reset(): void {
    this.#rung = undefined
  }
}
