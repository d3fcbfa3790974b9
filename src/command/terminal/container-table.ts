/** The table of `procveil ps`. */

import { shortId } from '../../container/container.ts'
import type { CoverageState } from '../containers/coverage.ts'
import type { ListedContainer } from '../containers/list.ts'
import { type Cell, type Colour, type Column, renderTable } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'RUNTIME' },
  { title: 'PID', right: true },
  { title: 'MEMORY', right: true },
  { title: 'CPUS', right: true },
  { title: 'FILES', right: true },
  { title: 'STATE' },
]

const COLOURS: Readonly<Record<CoverageState, Colour>> = {
  ok: 'green',
  partial: 'yellow',
  host: 'dim',
  stale: 'red',
  unknown: 'yellow',
}

export function renderContainers(
  containers: readonly ListedContainer[],
  colourful: boolean,
): string {
  const rows = containers.map((container): Cell[] => [
    { text: shortId(container.id) },
    { text: container.name ?? '-' },
    { text: container.runtime ?? '-' },
    { text: String(container.pid) },
    {
      text:
        container.memoryLimitBytes === undefined ? '-' : renderBytes(container.memoryLimitBytes),
    },
    {
      text: container.cpuLimit === undefined ? '-' : String(Number(container.cpuLimit.toFixed(2))),
    },
    { text: `${container.bound}/${container.files}` },
    { text: container.state, colour: COLOURS[container.state] },
  ])
  return renderTable(COLUMNS, rows, colourful)
}

/** Renders a size in the largest unit that keeps three digits: `96 MiB`, `1.5 GiB`. */
export function renderBytes(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const larger of ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    if (value < 1024) break
    value /= 1024
    unit = larger
  }
  return `${Number(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0))} ${unit}`
}
