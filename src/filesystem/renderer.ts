/**
 * Renders the texts of files, whatever happens: where a view cannot be rendered, its container sees the host's own
 * text. Requests that were taken from the kernel together were all made before any of them is answered, so each of
 * them may be answered with the text that was rendered for another.
 */

import type { Host } from '../host/host.ts'
import type { ProcFile } from '../proc/files.ts'
import type { View } from '../proc/view.ts'
import type { Log } from '../sys/log.ts'
import { Failures } from './failures.ts'

/** What a renderer tells of its work, and what it must not do again: see quarantine.ts. */
export interface Guard {
  /** Returns false where the host's text is to be shown instead. */
  begin(file: ProcFile, view: View): boolean
  end(): void
}

const UNGUARDED: Guard = { begin: () => true, end: () => {} }

interface Rendered {
  file: ProcFile
  view: View | undefined
  text: Buffer
}

export class Renderer {
  readonly #host: Host
  readonly #failures: Failures
  readonly #onRendered: (view: View | undefined) => void
  readonly #guard: Guard
  #rendered: Rendered[] = []

  /** `onRendered` is called when a text of the view was rendered and nobody has got it yet. */
  constructor(
    host: Host,
    log: Pick<Log, 'error'>,
    onRendered: (view: View | undefined) => void = () => {},
    guard: Guard = UNGUARDED,
  ) {
    this.#guard = guard
    this.#host = host
    this.#failures = new Failures(host.clock, log)
    this.#onRendered = onRendered
  }

  /** To be called when requests were taken from the kernel: what was rendered until now is too old for them. */
  begin(): void {
    if (this.#rendered.length > 0) this.#rendered = []
  }

  /** Throws only when the host's own file cannot be read. */
  render(file: ProcFile, view: View | undefined): Buffer {
    for (const known of this.#rendered) {
      if (known.file === file && known.view === view) return known.text
    }
    const rendered = this.#renderNow(file, view)
    const text = typeof rendered === 'string' ? Buffer.from(rendered) : rendered
    this.#onRendered(view)
    this.#rendered.push({ file, view, text })
    return text
  }

  #renderNow(file: ProcFile, view: View | undefined): string | Buffer {
    if (view === undefined || !this.#guard.begin(file, view)) return this.#host.read(file.path)
    try {
      return file.render(view)
    } catch (error) {
      this.#failures.report(file.path, error)
      return this.#host.read(file.path)
    } finally {
      this.#guard.end()
    }
  }
}
