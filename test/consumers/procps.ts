/** free, top, vmstat, ps, uptime and slabtop: https://gitlab.com/procps-ng/procps, library/ */

import { isU64, linesOf, refuse, vmstatOf } from './refusal.ts'

/** Kibibytes by key; free and ps divide by MemTotal and subtract the others. */
export function checkMeminfo(text: string): void {
  const kib = new Map<string, number>()
  for (const line of linesOf(text)) {
    const [, key, value] = /^([^:]+):\s*(\d+)/.exec(line) ?? []
    if (key === undefined || !isU64(value)) refuse('procps', 'a line of meminfo', line)
    kib.set(key, Number(value))
  }
  const of = (key: string) => kib.get(key) ?? 0
  if (of('MemTotal') === 0) refuse('ps', 'MemTotal, by which it divides', text)
  const available = kib.get('MemAvailable') ?? of('MemFree')
  if (available > of('MemTotal')) refuse('free 4', 'MemAvailable above MemTotal', text)
  const cached = of('MemFree') + of('Buffers') + of('Cached') + of('SReclaimable')
  if (cached > of('MemTotal')) refuse('free 3', 'a negative "used"', text)
  if (of('SwapFree') > of('SwapTotal')) refuse('free', 'a negative "used" of swap', text)
}

const STAT_COUNTS = ['intr', 'ctxt', 'btime', 'processes', 'procs_running', 'procs_blocked']

export function checkStat(text: string): void {
  if (!/^cpu {2}\d+ \d+ \d+ \d+/.test(text)) refuse('top', 'the first line of stat', text)
  for (const line of linesOf(text).filter(line => /^cpu\d/.test(line))) {
    if (!/^cpu\d+( \d+){4}/.test(line)) refuse('top', 'a line of one CPU in stat', line)
  }
  for (const name of STAT_COUNTS) {
    const [, value] = new RegExp(`^${name} (\\d+)`, 'm').exec(text) ?? []
    if (!isU64(value)) refuse(name === 'btime' ? 'ps' : 'vmstat', `${name} of stat`, value)
  }
}

export function checkUptime(text: string): void {
  if (!/^\d+\.\d+ \d+\.\d+\s*$/.test(text)) refuse('uptime', 'two numbers in uptime', text)
}

export function checkLoadavg(text: string): void {
  if (!/^\d+\.\d+ \d+\.\d+ \d+\.\d+ \d+\/\d+ \d+\s*$/.test(text)) refuse('w', 'loadavg', text)
}

/** vmstat -d wants the 11 numbers of Linux 2.6. */
export function checkDiskstats(text: string): void {
  for (const line of linesOf(text)) {
    if (!/^\s*\d+\s+\d+\s+\S+(\s+\d+){11}/.test(line)) refuse('vmstat -d', 'a disk', line)
  }
}

/** vmstat and vmstat -s; a line of another form ends its reading. */
export function checkVmstat(text: string): void {
  const counts = vmstatOf('vmstat', text)
  for (const name of ['pgpgin', 'pgpgout', 'pswpin', 'pswpout']) {
    if (!counts.has(name)) refuse('vmstat', `${name} of vmstat`, text)
  }
}

export function checkSlabinfo(text: string): void {
  const [version = '', ...lines] = linesOf(text)
  if (!/^slabinfo - version: 2\.\d/.test(version)) refuse('slabtop', 'the version', version)
  for (const line of lines.filter(line => !line.startsWith('#'))) {
    if (!CACHE.test(line)) refuse('slabtop', 'a cache', line)
  }
}

const CACHE = /^\S+(\s+\d+){5}\s+: tunables(\s+\d+){3}\s+: slabdata(\s+\d+){3}/
