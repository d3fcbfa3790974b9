/**
 * Numbers of nodes whose paths only the host knows, such as sys/devices/system/cpu/cpu3/topology/core_id. The kernel
 * remembers a number longer than a server lives, so a file in the run directory says what it stands for, and is written
 * before the number is given away.
 *
 * A number is made of three: of the view, of the path's pattern, in which the number of the first numbered name is left
 * out (sys/devices/system/cpu/cpu#/topology/core_id), and of the number that was left out. So a container adds one line
 * to the file, and each kind of file one, however many CPUs there are.
 */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { replaceFile } from '../host/replace-file.ts'
import {
  GAP,
  NodeTable,
  PATTERNS,
  parseNodeTable,
  renderNodeTable,
  renderPattern,
  renderView,
  VIEWS,
} from './node-table.ts'

/** Slots are at most 2^44, so the numbers of tree.ts are below this one. All numbers are below 2^53. */
const FIRST = 2 ** 52 + 2 ** 32
/** 0 stands for a path without a number. */
const INDEXES = 2 ** 14
const VIEW_SIZE = INDEXES * PATTERNS

/** So many views have numbers at a time: their file has some 30 bytes for each. */
const MOST_VIEWS = 2 ** 20
const MOST_FILE_BYTES = 64 * 2 ** 20

/** Views that nobody has any more are looked for when there are more than this. */
const TIDY_VIEWS = 4096

export interface Node {
  /** As in tree.ts: 0 is the caller's own view. */
  slot: number
  path: string
}

interface Setup {
  /** Called with what an operator may want to know. */
  report: (message: string) => void
  /** Whether somebody may still have nodes of this slot. */
  isUsed: (slot: number) => boolean
}

/** Whether the number is one of these, and not one of tree.ts. */
export const isNumbered = (nodeid: number) => nodeid >= FIRST

export class NodeNumbers {
  readonly #file: string
  readonly #setup: Setup
  #table: NodeTable
  /** Bytes of the file; 0 where it is to be written as a whole. */
  #size = 0
  #tidyAt = TIDY_VIEWS
  #isReported = false

  constructor(file: string, setup: Setup) {
    this.#file = file
    this.#setup = setup
    this.#table = this.#load()
  }

  /** The slot of a node; `undefined` for a number that no server has given. */
  slotOf(nodeid: number): number | undefined {
    return this.#table.slotByView.get(Math.floor((nodeid - FIRST) / VIEW_SIZE))
  }

  find(nodeid: number): Node | undefined {
    if (!isNumbered(nodeid)) return undefined
    const slot = this.slotOf(nodeid)
    const pattern = this.#table.patterns[(nodeid - FIRST) % PATTERNS]
    const index = Math.floor((nodeid - FIRST) / PATTERNS) % INDEXES
    if (slot === undefined || pattern === undefined) return undefined
    if (index === 0) return pattern.includes(GAP) ? undefined : { slot, path: pattern }
    return pattern.includes(GAP) ? { slot, path: pattern.replace(GAP, `${index - 1}`) } : undefined
  }

  /**
   * The number of a node. The path is one that the host has, with names as `isName` wants them. `undefined` where there
   * is no room for one more, or the file cannot be written, which is told once.
   */
  numberOf(slot: number, path: string): number | undefined {
    const { pattern, index } = split(path)
    const view = this.#table.viewBySlot.get(slot) ?? this.#addView(slot)
    if (view === undefined) return undefined
    const number = this.#table.numberByPattern.get(pattern) ?? this.#addPattern(pattern)
    return number === undefined ? undefined : FIRST + view * VIEW_SIZE + index * PATTERNS + number
  }

  #addView(slot: number): number | undefined {
    const { slotByView } = this.#table
    if (slotByView.size >= this.#tidyAt) this.#tidy()
    if (slotByView.size >= MOST_VIEWS) return undefined
    let view = this.#table.next
    while (slotByView.has(view)) view = (view + 1) % VIEWS
    const isWritten = this.#write(renderView(view, slot), () => this.#table.setView(view, slot))
    if (isWritten) return view
    this.#table.deleteSlot(slot)
    return undefined
  }

  #addPattern(pattern: string): number | undefined {
    const { patterns, numberByPattern } = this.#table
    const number = patterns.length
    if (number >= PATTERNS) return undefined
    const isWritten = this.#write(renderPattern(pattern), () => this.#table.addPattern(pattern))
    if (isWritten) return number
    patterns.length = number
    numberByPattern.delete(pattern)
    return undefined
  }

  /** Adds a line to the file, and to the table with `add`. Returns false where it may not be in the file. */
  #write(line: string, add: () => void): boolean {
    try {
      const isAppended = this.#size > 0 && this.#append(Buffer.from(line))
      add()
      if (!isAppended) this.#writeWhole()
      this.#isReported = false
      return true
    } catch (error) {
      if (!this.#isReported) {
        this.#setup.report(
          `cannot write ${this.#file}, and shows no directories of sysfs that were not looked at before: ${error}`,
        )
      }
      this.#isReported = true
      return false
    }
  }

  /** Returns false where the file is not what this server has made of it. Throws where there is no room. */
  #append(line: Buffer): boolean {
    const fd = openIfThere(this.#file)
    if (fd === undefined) return false
    try {
      if (fstatSync(fd).size !== this.#size) return false
      try {
        if (writeSync(fd, line) !== line.length) throw new Error('there is no room for it')
      } catch (error) {
        ftruncateSync(fd, this.#size)
        throw error
      }
      this.#size += line.length
      return true
    } finally {
      closeSync(fd)
    }
  }

  #writeWhole(): void {
    const text = renderNodeTable(this.#table)
    this.#size = 0
    replaceFile(this.#file, text)
    this.#size = text.length
  }

  /** A table that cannot be read is replaced by one with other numbers: those of before stand for nothing then. */
  #load(): NodeTable {
    try {
      const size = statSync(this.#file, { throwIfNoEntry: false })?.size
      if (size === undefined) return newTable()
      if (size > MOST_FILE_BYTES) throw new RangeError(`it has ${size} bytes`)
      const text = readFileSync(this.#file, 'latin1')
      const table = parseNodeTable(text)
      if (text.endsWith('\n')) this.#size = text.length
      return table
    } catch (error) {
      this.#setup.report(
        `cannot use ${this.#file}, and begins a new one: ${error}; who has a directory of sysfs open has to open it again`,
      )
      return newTable()
    }
  }

  /** Forgets the views that nobody has any more. Their numbers are not given again before all others were. */
  #tidy(): void {
    const { viewBySlot } = this.#table
    for (const slot of viewBySlot.keys()) {
      if (slot !== 0 && !this.#setup.isUsed(slot)) this.#table.deleteSlot(slot)
    }
    this.#tidyAt = Math.max(TIDY_VIEWS, 2 * viewBySlot.size)
    // The next line is written with all others.
    this.#size = 0
  }
}

/** A new table must not give numbers that an earlier one has given: it begins anywhere. */
function newTable(): NodeTable {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1))
  return new NodeTable(random % VIEWS)
}

/** Leaves out the number of the first name that has one, if it can be written in no other way. */
function split(path: string): { pattern: string; index: number } {
  const match = NUMBERED.exec(path)
  const index = Number(match?.[2] ?? -1) + 1
  if (match === null || index >= INDEXES) return { pattern: path, index: 0 }
  const [, before = '', digits = ''] = match
  const at = match.index + before.length
  return { pattern: path.slice(0, at) + GAP + path.slice(at + digits.length), index }
}

const NUMBERED = /(\/[A-Za-z_-]*)(0|[1-9]\d{0,4})(?=\/|$)/

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
