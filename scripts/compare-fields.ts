/** What scripts/compare-lxcfs.ts compares: each file as named fields, and where these differ from the host's. */

type Field = readonly [name: string, value: string]
type Split = (text: string) => readonly Field[]

/** What a reader got: the file's fields, `mode, size` among them. */
export type Fields = ReadonlyMap<string, string>

export const FILES: readonly (readonly [path: string, split: Split])[] = [
  ['/proc/cpuinfo', text => [count('processors', /^processor/gm, text), ...byColon(record(text))]],
  ['/proc/meminfo', byColon],
  ['/proc/stat', byWord(0)],
  ['/proc/diskstats', byWord(2)],
  ['/proc/partitions', byWord(3)],
  ['/proc/swaps', byLine],
  ['/proc/uptime', byPlace('uptime', 'idle')],
  ['/proc/loadavg', byPlace('1 minute', '5 minutes', '15 minutes', 'running/all', 'last pid')],
  ['/proc/slabinfo', text => [count('caches', /^[^#\n]+ : tunables/gm, text)]],
  ['/proc/pressure/cpu', byWord(0)],
  ['/proc/pressure/io', byWord(0)],
  ['/proc/pressure/memory', byWord(0)],
  ['/sys/devices/system/cpu/online', text => [['online', text.trim()]]],
]

export const lines = (text: string): string[] => text.split('\n').filter(line => line.trim() !== '')

export const words = (line: string): string[] => line.trim().split(/\s+/)

/** What the line `cpu` of /proc/stat counts, proc_stat(5); guests are part of user and nice. */
export const CLASSES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal']

export function ticks(stat: string): number[] {
  const [, ...all] = words(lines(stat)[0] ?? '')
  return all.slice(0, CLASSES.length).map(Number)
}

function count(name: string, pattern: RegExp, text: string): Field {
  return [name, String(text.match(pattern)?.length ?? 0)]
}

/** The first of the records that a blank line ends. */
function record(text: string): string {
  return text.split('\n\n')[0] ?? ''
}

function byColon(text: string): readonly Field[] {
  return lines(text).map(line => {
    const [name = '', ...value] = line.split(':')
    return [name.trim(), value.join(':').trim()]
  })
}

/** Swaps: tabs and all, since tools differ in what they take. */
function byLine(text: string): readonly Field[] {
  return lines(text).map((line, i) => [`line ${i + 1}`, JSON.stringify(line)])
}

/** A line is named by its word at `place`. */
function byWord(place: number): Split {
  return text =>
    lines(text).map(line => {
      const value = words(line)
      const [name = ''] = value.splice(place, 1)
      return [name, value.join(' ')]
    })
}

function byPlace(...names: readonly string[]): Split {
  return text => words(text).map((word, place) => [names[place] ?? 'more', word])
}

/** Rows `name, host, reader...` of the fields that are not the host's for all readers. */
export function differences(
  before: Fields,
  after: Fields,
  readers: readonly Fields[],
): (readonly string[])[] {
  const names = new Set([before, ...readers].flatMap(fields => [...fields.keys()]))
  return [...names].flatMap(name => {
    const host = before.get(name) ?? '-'
    const cells = readers.map(fields => {
      const value = fields.get(name)
      if (value === undefined) return '-'
      return isHosts(value, host, after.get(name) ?? host) ? "host's" : value
    })
    return cells.every(cell => cell === "host's") ? [] : [[name, host, ...cells]]
  })
}

/** The host's numbers move while others read: what lies between two of its readings, give or take 5 %, is the host's. */
function isHosts(value: string, before: string, after: string): boolean {
  const [first, last] = [words(before), words(after)]
  const all = words(value)
  if (all.length !== first.length) return false
  return all.every((word, i) => {
    if (word === first[i]) return true
    const ends = [Number(first[i]), Number(last[i])]
    return Number(word) >= Math.min(...ends) * 0.95 && Number(word) <= Math.max(...ends) * 1.05
  })
}

const CELL_WIDTH = 64

/** Columns; what is too long for one is cut. */
export function table(rows: readonly (readonly string[])[]): string {
  const cut = rows.map(row =>
    row.map(cell => (cell.length > CELL_WIDTH ? `${cell.slice(0, CELL_WIDTH - 1)}…` : cell)),
  )
  const widths = (cut[0] ?? []).map((_, i) => Math.max(...cut.map(row => row[i]?.length ?? 0)))
  return cut
    .map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')}`.trimEnd())
    .join('\n')
}
