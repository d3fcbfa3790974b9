/**
 * Makes pages in mdoc(7), which mandoc and groff understand. In prose, code stands between backticks: what it looks
 * like says which macro it gets.
 */

/** A paragraph, a list of terms, or lines as they are typed. */
export type Block = string | { terms: readonly Term[] } | { lines: readonly string[] }

export interface Term {
  /** What is explained: prose, mostly code alone. */
  term: string
  text: readonly Block[]
}

export interface Section {
  title: string
  blocks: readonly Block[]
}

/** Renders blocks to lines. A list within a list is `compact`: no blank lines between its terms. */
export function renderBlocks(blocks: readonly Block[], compact = false): string[] {
  return blocks.flatMap((block, at) => {
    const isFirst = at === 0
    if (typeof block === 'string') return [...(isFirst ? [] : ['.Pp']), ...renderProse(block)]
    if ('lines' in block)
      return [
        '.Bd -literal -offset indent',
        ...block.lines.map(line => literalStart(literal(line))),
        '.Ed',
      ]
    const items = block.terms.flatMap(({ term, text }) => [
      ...renderHead(renderProse(term)),
      ...renderBlocks(text, true),
    ])
    return renderList(items, compact && !isFirst)
  })
}

/** Renders a list of items, each of which begins with `.It`. */
export function renderList(items: readonly string[], compact: boolean): string[] {
  const begin = compact ? ['.Pp', '.Bl -tag -width Ds -compact'] : ['.Bl -tag -width Ds']
  return [...begin, ...items, '.El']
}

function renderHead(lines: readonly string[]): string[] {
  const [line = ''] = lines
  // A term stands out by itself, without quotes.
  if (lines.length === 1) return [`.It ${line.slice(1).replace(/^Ql/, 'Cm')}`]
  return ['.It Xo', ...lines, '.Xc']
}

/** Renders a paragraph, with a line of its own for each sentence and for each piece of code. */
export function renderProse(prose: string): string[] {
  const lines: string[] = []
  let line = ''
  const end = () => {
    if (line !== '') lines.push(line)
    line = ''
  }
  for (const word of prose.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    if (word.includes('`')) {
      end()
      lines.push(renderCode(word))
      continue
    }
    if (line.length + word.length > MOST_COLUMNS) end()
    line = line === '' ? text(word) : `${line} ${text(word)}`
    if (/[.?!]$/.test(word)) end()
  }
  end()
  return lines
}

const MOST_COLUMNS = 76

/** Renders a word with code in it, such as `code`, (`code`) or `code`'s. */
function renderCode(word: string): string {
  const [, before = '', code, after = ''] = /^([([]*)`([^`]+)`([^`]*)$/.exec(word) ?? []
  if (code === undefined) {
    throw new SyntaxError(`Cannot render ${word}: code stands by itself, or in parentheses`)
  }
  const [macro = '', ...args] = chooseMacro(code)
  const behind = CLOSING.test(after) ? [...after] : ['Ns', text(after)]
  return [`.${macro}`, ...before, ...args, ...(after === '' ? [] : behind)].join(' ')
}

/** What mdoc itself sets close to the word before it. */
const CLOSING = /^[.,:;)\]?!]*$/

/** Returns the macro for a piece of code, and its arguments. */
function chooseMacro(code: string): string[] {
  const [, page, section] = /^([a-z0-9._-]+)\((\d)\)$/.exec(code) ?? []
  if (page !== undefined && section !== undefined) return ['Xr', page, section]
  const [first = '', ...rest] = code.split(' ')
  if (code === 'procveil') return ['Nm', argument(code)]
  if (first.startsWith('-')) {
    const values = rest.length > 0 ? ['Ar', ...rest.map(argument)] : []
    return ['Fl', argument(first.slice(1)), ...values]
  }
  if (/^\/\S+$/.test(code)) return ['Pa', argument(code)]
  if (/^[A-Z_]+$/.test(code)) return ['Ev', argument(code)]
  return ['Ql', first, ...rest].map((each, at) => (at === 0 ? each : argument(each)))
}

/** Renders a word for the line of a macro: what could be a macro or a delimiter itself is none. */
export function argument(word: string): string {
  const isMacro = /^[%A-Z][A-Za-z0-9]{1,2}$/.test(word) || /^[.,:;()[\]?!|]$/.test(word)
  return (isMacro ? '\\&' : '') + literal(word)
}

/** Renders what is typed just so: neither a hyphen nor a typographic quote may come of it. */
const literal = (typed: string) =>
  typed.replace(/[\\\-'"`^~]/g, character => LITERALS[character] ?? character)

const LITERALS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
}

/** Renders a word for a line without a macro. What is no word of a language is not divided at the end of a line. */
const text = (word: string) =>
  literalStart((/[/<=_]/.test(word) ? '\\%' : '') + word.replaceAll('\\', '\\e'))

const literalStart = (line: string) => (/^[.']/.test(line) ? `\\&${line}` : line)

export interface Heading {
  name: string
  section: 5 | 8
  /** What the page is about, in a few words. */
  about: string
  /** Such as `November 28, 2026`. */
  date: string
  version: string
}

/** Renders the beginning of a page, up to its first section. */
export function renderHeading({ name, section, about, date, version }: Heading): string[] {
  return [
    `.Dd ${date}`,
    `.Dt ${name.toUpperCase()} ${section}`,
    `.Os procveil ${version}`,
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${about}`,
  ]
}

export const renderSection = ({ title, blocks }: Section) => [
  `.Sh ${title}`,
  ...renderBlocks(blocks),
]
