/**
 * The lines in which a container's file differs from the host's, side by side. Lines belong together by what they are
 * about, such as `MemTotal` or `cpu0`, not by their place: a container has fewer of most.
 */

import { printable } from '../../sys/printable.ts'
import { type Colour, fit, paint } from './table.ts'

/** A line of one side is `undefined` when only the other side has it. */
interface Difference {
  host: string | undefined
  container: string | undefined
}

/** Returns the lines that differ, in the host's order; then come the lines that only the container has. */
export function differences(host: string, container: string): Difference[] {
  const theirs = keyLines(container)
  const found: Difference[] = []
  for (const [key, line] of keyLines(host)) {
    const other = theirs.get(key)
    theirs.delete(key)
    if (other !== line) found.push({ host: line, container: other })
  }
  for (const line of theirs.values()) found.push({ host: undefined, container: line })
  return found
}

/**
 * Returns lines by their key: the block (cpuinfo has one for each CPU), what the line is about, and how many such
 * lines were there before it.
 */
function keyLines(text: string): Map<string, string> {
  const lines = new Map<string, string>()
  const counts = new Map<string, number>()
  let block = 0
  for (const line of text.split('\n')) {
    if (line === '') {
      block++
      continue
    }
    const name = `${block} ${subject(line)}`
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    lines.set(`${name} ${count}`, line)
  }
  return lines
}

/** `model name` of cpuinfo, `Active(anon)` of meminfo: words that begin with a letter, up to a colon. */
const LABEL = /^([A-Za-z]\S*(?: [A-Za-z]\S*)*?)\s*:/

/** `cpu0` of stat, `sda` of diskstats, `/dev/sda2` of swaps: the first word that is no number. */
const NAME = /(?:^|\s)([A-Za-z/]\S*)/

function subject(line: string): string {
  return (LABEL.exec(line) ?? NAME.exec(line))?.[1] ?? ''
}

/** Of a run of lines that only one side has, so many are shown and the others are counted. */
const MOST_ALONE = 4

/** Renders two columns in `width`, each line ended by a newline. */
export function renderDifferences(
  found: readonly Difference[],
  width: number,
  colourful: boolean,
): string {
  const half = Math.max(Math.floor((width - SEPARATOR.length) / 2), 1)
  const row = (host: string, container: string, ...colours: [Colour?, Colour?]) => {
    const cell = (text: string) => fit(printable(text.replaceAll('\t', ' ')), half)
    const left = paint(cell(host), colours[0], colourful)
    const right = paint(cell(container).trimEnd(), colours[1], colourful)
    return `${left}${SEPARATOR}${right}`.trimEnd()
  }
  const lines = runs(found).flatMap(run => {
    const isLong = side(run[0]) !== 'both' && run.length > MOST_ALONE + 1
    const shown = isLong ? run.slice(0, MOST_ALONE) : run
    const rows = shown.map(({ host, container }) =>
      row(host ?? '', container ?? '', undefined, 'green'),
    )
    const more = `… ${run.length - shown.length} more lines`
    if (isLong)
      rows.push(side(run[0]) === 'host' ? row(more, '', 'dim') : row('', more, undefined, 'dim'))
    return rows
  })
  return lines.map(line => `${line}\n`).join('')
}

const SEPARATOR = ' | '

/** Groups neighbours that have a line on the same sides. */
function runs(found: readonly Difference[]): Difference[][] {
  const all: Difference[][] = []
  for (const difference of found) {
    const last = all.at(-1)
    if (last !== undefined && side(last[0]) === side(difference)) last.push(difference)
    else all.push([difference])
  }
  return all
}

function side(difference: Difference | undefined): 'host' | 'container' | 'both' {
  if (difference?.host === undefined) return 'container'
  return difference.container === undefined ? 'host' : 'both'
}
