/** Text for people in columns, coloured on a terminal: https://no-color.org. */

import { printable } from '../../sys/printable.ts'

export interface Cell {
  text: string
  colour?: Colour | undefined
}

export interface Column {
  title: string
  /** Whether the column is aligned to the right, as numbers are. */
  right?: boolean
}

export type Colour = keyof typeof CODES

/** The codes of Select Graphic Rendition, console_codes(4). */
const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 }

/** Renders a line for the titles and one for each row, each ended by a newline. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  colourful: boolean,
): string {
  const titles = columns.map(({ title }): Cell => ({ text: title, colour: 'bold' }))
  const lines = [titles, ...rows].map(cells =>
    cells.map(cell => ({ ...cell, text: printable(cell.text) })),
  )
  const widths = columns.map((_, at) =>
    Math.max(...lines.map(cells => widthOf(cells[at]?.text ?? ''))),
  )
  return lines.map(cells => renderLine(columns, widths, cells, colourful)).join('')
}

function renderLine(
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly Cell[],
  colourful: boolean,
): string {
  const texts = columns.map(({ right }, at) => {
    const { text = '', colour } = cells[at] ?? {}
    const blanks = ' '.repeat((widths[at] ?? 0) - widthOf(text))
    const painted = paint(text, colour, colourful)
    // The last column needs no padding: nothing is to the right of it.
    const padding = at === columns.length - 1 && !right ? '' : blanks
    return right ? padding + painted : painted + padding
  })
  return `${texts.join('  ')}\n`
}

export function paint(text: string, colour: Colour | undefined, colourful: boolean): string {
  return colourful && colour !== undefined ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text
}

/** Whether what is written to `stream` may be coloured. */
export function isColourful(
  stream: { isTTY?: boolean | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR, TERM } = environment
  return stream.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
}

/** Returns `text` in exactly `width` columns. */
export function fit(text: string, width: number): string {
  const letters = [...text]
  if (letters.length <= width) return text + ' '.repeat(width - letters.length)
  return `${letters.slice(0, Math.max(width - 1, 0)).join('')}…`
}

const widthOf = (text: string) => [...text].length
