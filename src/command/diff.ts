/** `procveil diff`: prints what a container sees otherwise than its host, rendered as `show` does. */

import { writeFileSync } from 'node:fs'
import type { Settings } from '../service/default-settings.ts'
import { printableJson } from '../sys/printable.ts'
import { openCaptured } from '../view/captured.ts'
import type { Choice } from './containers/choose.ts'
import { openRunningView, renderAll } from './show.ts'
import { differences, renderDifferences } from './terminal/differences.ts'
import { isColourful } from './terminal/table.ts'

export interface DiffOptions extends Pick<Choice, 'containerId' | 'runtimeRoot'> {
  /** A captured machine instead of this one. */
  from?: string
  json?: boolean
}

/** The width of lines that go to no terminal. */
const WIDTH = 160

/** Returns the exit status. Throws when the container cannot be found. */
export async function diff(settings: Settings, options: DiffOptions): Promise<number> {
  const view =
    options.from === undefined
      ? await openRunningView(settings, options, 'diff')
      : openCaptured(options.from, options.containerId)
  const found = renderAll(view)
    .map(({ path, text }) => ({ path, lines: differences(view.hostFile(path), text) }))
    .filter(({ lines }) => lines.length > 0)
  if (options.json) {
    writeFileSync(1, `${printableJson(found)}\n`)
    return 0
  }
  const width = process.stdout.columns ?? WIDTH
  const isColoured = isColourful(process.stdout, process.env)
  const texts = found.map(
    ({ path, lines }) => `==> ${path} <==\n${renderDifferences(lines, width, isColoured)}`,
  )
  writeFileSync(1, texts.length > 0 ? texts.join('\n') : 'The container sees what the host has.\n')
  return 0
}
