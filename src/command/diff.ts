/** `procveil diff`: what a container sees otherwise than its host, rendered as `show` does. */

import { writeFileSync } from 'node:fs'
import type { Container } from '../container/container.ts'
import { Registry } from '../container/registry.ts'
import { Host } from '../host/host.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { openCaptured } from '../view/captured.ts'
import { type ContainerView, openView } from '../view/container-view.ts'
import { type Choice, choose, resolve } from './containers/choose.ts'
import { renderAll } from './show.ts'
import { differences, renderDifferences } from './terminal/differences.ts'
import { isColourful } from './terminal/table.ts'

export interface DiffOptions extends Pick<Choice, 'containerId' | 'runtimeRoot'> {
  /** A captured machine instead of this one. */
  from?: string
  json?: boolean
}

/** Of a line that goes to no terminal. */
const WIDTH = 160

/** Returns the exit status. Throws when the container cannot be found. */
export function diff(settings: Settings, options: DiffOptions): number {
  const view =
    options.from === undefined
      ? openRunning(settings, options)
      : openCaptured(options.from, options.containerId)
  const found = renderAll(view)
    .map(({ path, text }) => ({ path, lines: differences(view.hostFile(path), text) }))
    .filter(({ lines }) => lines.length > 0)
  if (options.json) {
    writeFileSync(1, `${JSON.stringify(found, undefined, 2)}\n`)
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

/** Hooked or not: no mount is needed. */
function openRunning(
  settings: Settings,
  { containerId, runtimeRoot = [] }: DiffOptions,
): ContainerView {
  if (containerId === undefined) throw new Error('Cannot choose a container: give --container-id')
  const host = new Host('/', systemClock)
  const container = findContainer(host, settings, { containerId, runtimeRoot })
  return openView(host, container, { ...readDefaults(settings), ...container.options })
}

function findContainer(host: Host, settings: Settings, choice: Choice): Container {
  const log = new Log('diff', undefined)
  const registry = new Registry(settings.runDirectory)
  for (const candidate of choose(host, registry, choice, 'diff')) {
    const container = resolve(host, registry, candidate, error => log.error(error))
    if (container !== undefined) return container
  }
  throw new Error(`Cannot diff container ${choice.containerId}: its process has ended`)
}
