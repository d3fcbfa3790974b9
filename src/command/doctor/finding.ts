/** What `doctor` finds: each is one line, and what to do next where something is not as it should be. */

import { printable } from '../../sys/printable.ts'
import { type Colour, paint } from '../terminal/table.ts'

export interface Finding {
  /** What was looked at, in one word. */
  check: string
  level: 'ok' | 'warning' | 'problem'
  text: string
  /** What to do next; `undefined` when there is nothing to do. */
  advice?: string
}

/** Makes the findings of one check. */
export function about(check: string) {
  return {
    ok: (text: string): Finding => ({ check, level: 'ok', text }),
    warning: (text: string, advice: string): Finding => ({ check, level: 'warning', text, advice }),
    problem: (text: string, advice: string): Finding => ({ check, level: 'problem', text, advice }),
  }
}

/** `a, b, c and 7 more`: of hundreds of containers a few names are enough to begin with. */
export function nameSome(names: readonly string[]): string {
  const left = names.length - MOST
  const some = names.slice(0, MOST).join(', ')
  return left > 0 ? `${some} and ${left} more` : some
}

const MOST = 5

const COLOURS: Readonly<Record<Finding['level'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
}

const LEVEL_COLUMNS = 'problem'.length + 2

/**
 * Renders a line for each finding, one more for its advice, and at the end how many problems and warnings there are.
 */
export function renderFindings(findings: readonly Finding[], colourful: boolean): string {
  const lines = findings.flatMap(({ level, text, advice }) => [
    paint(level.padEnd(LEVEL_COLUMNS), COLOURS[level], colourful) + printable(text),
    ...(advice === undefined ? [] : [`${' '.repeat(LEVEL_COLUMNS)}-> ${printable(advice)}`]),
  ])
  const count = (wanted: Finding['level']) =>
    findings.filter(({ level }) => level === wanted).length
  const plural = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`
  const summary = `${plural(count('problem'), 'problem')}, ${plural(count('warning'), 'warning')}`
  return `${[...lines, summary].join('\n')}\n`
}
