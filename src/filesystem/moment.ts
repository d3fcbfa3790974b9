/**
 * Texts that were rendered since the last requests were taken from the kernel. All those requests were made before, so
 * that each of them may be answered with what was rendered for another.
 */

import type { ProcFile } from '../proc/files.ts'
import type { View } from '../proc/view.ts'

interface Rendered {
  file: ProcFile
  view: View | undefined
  text: Buffer
}

export class Moment {
  readonly #render: (file: ProcFile, view: View | undefined) => string
  #rendered: Rendered[] = []

  constructor(render: (file: ProcFile, view: View | undefined) => string) {
    this.#render = render
  }

  /** What was rendered until now is too old for what comes. */
  begin(): void {
    if (this.#rendered.length > 0) this.#rendered = []
  }

  render(file: ProcFile, view: View | undefined): Buffer {
    for (const known of this.#rendered) {
      if (known.file === file && known.view === view) return known.text
    }
    const text = Buffer.from(this.#render(file, view))
    this.#rendered.push({ file, view, text })
    return text
  }
}
