/** What a script has to undo, whatever happens: in the opposite order, and all of it. */

export class Cleanups {
  readonly #name: string
  readonly #actions: (() => unknown)[] = []

  /** `name` is the script's, for what cannot be undone. */
  constructor(name: string) {
    this.#name = name
  }

  add(action: () => unknown): void {
    this.#actions.push(action)
  }

  /** A failure is told, and makes the exit status 1. */
  async run(): Promise<void> {
    for (const action of this.#actions.splice(0).reverse()) {
      try {
        await action()
      } catch (error) {
        this.complain(error)
      }
    }
  }

  complain(error: unknown): void {
    process.stderr.write(`${this.#name}: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
