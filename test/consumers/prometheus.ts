/** https://github.com/prometheus/procfs, which node_exporter, cAdvisor and others read with: strict to the word. */

import { isU64, linesOf, refuse, vmstatOf, wordsOf } from './refusal.ts'

export function checkMeminfo(text: string): void {
  for (const line of linesOf(text)) {
    const [, value, unit, ...more] = wordsOf(line)
    if (!isU64(value)) refuse('prometheus', 'the number of a meminfo line', line)
    if (unit !== undefined && unit !== 'kB') refuse('prometheus', 'the unit of meminfo', line)
    if (more.length > 0) refuse('prometheus', 'a meminfo line of more than 3 words', line)
  }
}

export function checkStat(text: string): void {
  for (const line of linesOf(text)) {
    const [name = '', ...numbers] = wordsOf(line)
    if (numbers.length === 0) continue
    if (name.startsWith('cpu')) {
      if (name !== 'cpu' && !/^cpu\d+$/.test(name)) refuse('prometheus', 'a CPU number', line)
      if (numbers.length === 0 || !numbers.every(isU64)) refuse('prometheus', 'CPU times', line)
    } else if (name === 'softirq') {
      if (numbers.length !== 11 || !numbers.every(isU64)) refuse('prometheus', 'softirq', line)
    } else if (STAT_COUNTS.has(name) && !numbers.every(isU64)) {
      refuse('prometheus', `${name} of stat`, line)
    }
  }
}

const STAT_COUNTS = new Set([
  'btime',
  'intr',
  'ctxt',
  'processes',
  'procs_running',
  'procs_blocked',
])

export function checkDiskstats(text: string): void {
  for (const line of linesOf(text)) {
    const [major, minor, name = '', ...counters] = wordsOf(line)
    if (!isU64(major) || !isU64(minor)) refuse('prometheus', 'a device number', line)
    if (/^\d*$/.test(name)) refuse('prometheus', 'the name of a disk', line)
    if (counters.length < 11 || !counters.every(isU64)) refuse('prometheus', 'a disk', line)
  }
}

export function checkSwaps(text: string): void {
  const [header, ...rows] = linesOf(text)
  if (!header?.startsWith('Filename')) refuse('prometheus', 'the heading of swaps', header)
  for (const row of rows) {
    const [, , size, used, priority = '', ...more] = wordsOf(row)
    const numbers = isU64(size) && isU64(used) && /^-?\d+$/.test(priority)
    if (!numbers || more.length > 0) refuse('prometheus', 'a row of swaps', row)
  }
}

export function checkSlabinfo(text: string): void {
  for (const line of linesOf(text)) {
    if (line.startsWith('#') || line.startsWith('slabinfo -')) continue
    const words = wordsOf(line)
    if (words.length !== 16) refuse('prometheus', 'a cache of slabinfo in 16 words', line)
    for (const at of [1, 2, 3, 4, 5, 8, 9, 10, 13, 14, 15]) {
      if (!isU64(words[at])) refuse('prometheus', 'a number of slabinfo', line)
    }
  }
}

/** node_exporter takes these by default; its first error ends the collector. */
export function checkVmstat(text: string): void {
  for (const name of vmstatOf('node_exporter', text).keys()) {
    if (/^(?:oom_kill|pgpg|pswp|pg.*fault)/.test(name)) return
  }
  refuse('node_exporter', 'any count of vmstat that it takes', text)
}

/** Ours may have no other lines, though the parser passes over those. */
export function checkPressure(text: string): void {
  for (const line of linesOf(text)) {
    const total = PRESSURE.exec(line)?.[1]
    if (!isU64(total)) refuse('prometheus', 'a line of pressure', line)
  }
}

const PRESSURE = /^(?:some|full) avg10=\d+\.\d\d avg60=\d+\.\d\d avg300=\d+\.\d\d total=(\d+)$/

const FIRST_CPUINFO_LINE = /^(?:processor|Processor|vendor_id|system type)\s*:/

export function checkCpuinfo(text: string): void {
  const first = linesOf(text).find(line => line.trim() !== '')
  if (!FIRST_CPUINFO_LINE.test(first ?? '')) refuse('prometheus', 'cpuinfo', first)
}

export function checkLoadavg(text: string): void {
  const averages = wordsOf(text).slice(0, 3)
  if (averages.length < 3 || !averages.every(word => /^\d+(\.\d+)?$/.test(word))) {
    refuse('prometheus', 'three loads', text)
  }
}
