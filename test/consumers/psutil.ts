/** https://github.com/giampaolo/psutil, psutil/_pslinux.py: a word that is missing is an exception there. */

import { linesOf, refuse, wordsOf } from './refusal.ts'

/** Others that are missing count as 0. */
const MEMINFO_KEYS = ['MemTotal:', 'MemFree:']

export function checkMeminfo(text: string): void {
  const bytes = new Map<string, number>()
  for (const line of linesOf(text)) {
    const [key, value] = wordsOf(line)
    if (key === undefined || value === undefined) refuse('psutil', 'IndexError in meminfo', line)
    if (!/^\d+$/.test(value)) refuse('psutil', 'ValueError in meminfo', line)
    bytes.set(key, Number(value) * 1024)
  }
  for (const key of MEMINFO_KEYS) {
    if (!bytes.has(key)) refuse('psutil', `KeyError ${key}`, text)
  }
  const total = bytes.get('MemTotal:') ?? 0
  if (total === 0) refuse('psutil', 'percent of no memory', text)
  if ((bytes.get('MemAvailable:') ?? 0) > total) {
    refuse('psutil', 'available above total, which it does not believe', text)
  }
}

/** swap_memory() takes these as pages of 4 KiB, and warns where they are missing. */
export function checkVmstat(text: string): void {
  for (const name of ['pswpin', 'pswpout']) {
    const line = linesOf(text).find(line => line.startsWith(name))
    if (!/^\d+$/.test(line?.split(' ')[1] ?? '')) refuse('psutil', `${name} of vmstat`, line)
  }
}

export function checkStat(text: string): void {
  const lines = linesOf(text)
  const [total = '', ...rest] = lines
  for (const line of [total, ...rest.filter(line => line.startsWith('cpu'))]) {
    const values = wordsOf(line).slice(1)
    if (values.length !== 10 || !values.every(value => /^\d+$/.test(value))) {
      refuse('psutil', '10 CPU times', line)
    }
  }
  for (const name of ['ctxt', 'intr', 'softirq', 'btime']) {
    const line = lines.find(line => line.startsWith(name))
    if (!/^\d+$/.test(wordsOf(line ?? '')[1] ?? '')) refuse('psutil', `${name} of stat`, line)
  }
}

/** 15 words would be Linux 2.4's, 7 a partition's before 2.6.25. */
export function checkDiskstats(text: string): void {
  for (const line of linesOf(text)) {
    const words = wordsOf(line)
    if (words.length !== 14 && words.length < 18) refuse('psutil', 'a line of diskstats', line)
    const [, , name = '', ...numbers] = words
    if (/^\d+$/.test(name)) refuse('psutil', 'the name of a disk', line)
    if (!numbers.every(value => /^\d+$/.test(value))) refuse('psutil', 'counters of a disk', line)
  }
}

/** cpu_freq() and the fallback of cpu_count(). */
export function checkCpuinfo(text: string): void {
  for (const line of linesOf(text.toLowerCase())) {
    if (!line.startsWith('cpu mhz')) continue
    const value = line.split(':')[1]
    if (Number.isNaN(Number.parseFloat(value ?? ''))) refuse('psutil', 'cpu MHz of cpuinfo', line)
  }
}
