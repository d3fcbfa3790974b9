/**
 * Texts that a reader has begun and not finished. Each handle has a file in the run directory: should the server end
 * meanwhile, the next one goes on with the same text. A text that was read in one piece needs no file.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/** What `Handles` needs of saved texts. */
export type Texts = Pick<SavedTexts, keyof SavedTexts>

export class SavedTexts {
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/texts`
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    } catch {
      // Without the directory no text is saved.
    }
  }

  /**
   * Saves a text. Where there is no room for it the reader goes on all the same: only a restart of the server would
   * show.
   */
  save(fh: number, text: Uint8Array): void {
    try {
      writeFileSync(this.#file(fh), text, { mode: 0o600 })
    } catch {
      this.remove(fh)
    }
  }

  /** Returns `undefined` when no text was saved. */
  load(fh: number): Buffer | undefined {
    try {
      return readFileSync(this.#file(fh))
    } catch {
      return undefined
    }
  }

  remove(fh: number): void {
    try {
      rmSync(this.#file(fh), { force: true })
    } catch {}
  }

  #file(fh: number): string {
    return `${this.#directory}/${fh}`
  }
}
