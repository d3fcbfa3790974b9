/** The file of node-numbers.ts as text: a header, then a line for each view and for each pattern of a path. */

/** Numbers of views are below this one. */
export const VIEWS = 2 ** 24
/** So many patterns there are at most: the kernel has some 300 kinds of files for a CPU. */
export const PATTERNS = 2 ** 13

/** Stands for the number that was left out of a path. */
export const GAP = '#'

const HEADER = 'procveil nodes 1'
const MOST_SLOT = 2 ** 44

/** A name of sysfs that can have a number; the kernel has a few others, with blanks or `!`. */
const NAME = /^[A-Za-z0-9_.,:+@=-]{1,128}$/
const MOST_NAMES = 16

export const isName = (name: string) => NAME.test(name) && name !== '.' && name !== '..'

export class NodeTable {
  readonly slotByView = new Map<number, number>()
  readonly viewBySlot = new Map<number, number>()
  readonly patterns: string[] = []
  readonly numberByPattern = new Map<string, number>()
  /** The first number that a view may get next. */
  next: number

  constructor(next: number) {
    this.next = next
  }

  setView(view: number, slot: number): void {
    this.slotByView.set(view, slot)
    this.viewBySlot.set(slot, view)
    this.next = (view + 1) % VIEWS
  }

  deleteSlot(slot: number): void {
    const view = this.viewBySlot.get(slot)
    if (view === undefined) return
    this.viewBySlot.delete(slot)
    this.slotByView.delete(view)
  }

  addPattern(pattern: string): void {
    this.numberByPattern.set(pattern, this.patterns.length)
    this.patterns.push(pattern)
  }
}

export const renderView = (view: number, slot: number) => `view ${view} ${slot}\n`
export const renderPattern = (pattern: string) => `path ${pattern}\n`

export function renderNodeTable(table: NodeTable): string {
  let text = `${HEADER}\n`
  for (const pattern of table.patterns) text += renderPattern(pattern)
  for (const [view, slot] of table.slotByView) text += renderView(view, slot)
  return `${text}next ${table.next}\n`
}

/**
 * A last line without its end was never written whole, and is ignored. Throws a SyntaxError for anything that
 * `renderNodeTable` and lines behind it cannot have made.
 */
export function parseNodeTable(text: string): NodeTable {
  const [header, ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  if (header !== HEADER) throw new SyntaxError('it does not begin as one')
  const table = new NodeTable(0)
  for (const [i, line] of lines.slice(0, -1).entries()) {
    if (!take(table, line.split(' '))) throw new SyntaxError(`line ${i + 2} cannot be one of it`)
  }
  return table
}

function take(table: NodeTable, [kind, first = '', second, ...others]: string[]): boolean {
  if (others.length > 0 || (second !== undefined) !== (kind === 'view')) return false
  if (kind === 'path') {
    if (!isPattern(first) || table.numberByPattern.has(first)) return false
    table.addPattern(first)
    return table.patterns.length <= PATTERNS
  }
  const view = parseNumber(first, VIEWS - 1)
  if (view === undefined) return false
  if (kind === 'next') {
    table.next = view
    return true
  }
  const slot = kind === 'view' ? parseNumber(second ?? '', MOST_SLOT) : undefined
  if (slot === undefined || table.viewBySlot.has(slot) || table.slotByView.has(view)) return false
  table.setView(view, slot)
  return true
}

function isPattern(text: string): boolean {
  const names = text.split('/')
  const isSound = names.length <= MOST_NAMES && names.every(name => isName(name.replace(GAP, '0')))
  return isSound && text.split(GAP).length <= 2
}

function parseNumber(text: string, most: number): number | undefined {
  const number = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined
  return number !== undefined && number <= most ? number : undefined
}
