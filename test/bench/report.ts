/** Tables on stdout and all samples in a file. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { quantile, sort } from './statistics.ts'

/** One measurement, under the names of its part. */
type Sample = Readonly<Record<string, string | number | readonly number[]>>

export class Report {
  readonly #samples: Sample[] = []

  add(sample: Sample): void {
    this.#samples.push(sample)
  }

  /** A heading, and rows of a table in Markdown; the first row names the columns. */
  table(heading: string, rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
    const line = (row: readonly string[]) =>
      `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
    const [head = [], ...body] = rows
    const rule = `|${widths.map((width, i) => (i === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
    process.stdout.write(`\n${heading}\n\n${[line(head), rule, ...body.map(line)].join('\n')}\n`)
  }

  save(path: string, about: Readonly<Record<string, string | number>>): void {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify({ about, samples: this.#samples })}\n`)
    process.stdout.write(`\nAll samples: ${path}\n`)
  }
}

/** Three figures that count. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 3))
}

/** The median of ratios, and how far they spread. */
export function spread(ratios: readonly number[]): string {
  const sorted = sort(ratios)
  const [low, middle, high] = [0, 0.5, 1].map(part => figure(quantile(sorted, part)))
  return `${middle} (${low}-${high})`
}
