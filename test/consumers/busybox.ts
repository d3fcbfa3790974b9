/** free, top, iostat and mpstat: https://git.busybox.net/busybox, procps/ */

import { linesOf, refuse } from './refusal.ts'

export function checkMeminfo(text: string): void {
  for (const key of ['MemTotal', 'MemFree', 'Buffers', 'Cached']) {
    if (!new RegExp(`^${key}: *\\d+`, 'm').test(text)) refuse('busybox free', key, text)
  }
}

/** top gives up with less than 4 numbers in the first line. */
export function checkStat(text: string): void {
  const [total = ''] = linesOf(text)
  if (!/^cpu +\d+ \d+ \d+ \d+/.test(total)) refuse('busybox top', 'the first line of stat', total)
}

/** top prints the loads as they are: three words, then what runs. */
export function checkLoadavg(text: string): void {
  if (!/^\S+ \S+ \S+ \d+\/\d+ \d+\n/.test(text)) refuse('busybox top', 'loadavg', text)
}

/** mpstat takes the seconds and two hundredths. */
export function checkUptime(text: string): void {
  if (!/^\d+\.\d\d /.test(text)) refuse('busybox mpstat', 'the uptime', text)
}

/** iostat reads into fields of 32 bytes from the third word on, and fdisk -l the fourth of partitions. */
export function checkDiskstats(text: string): void {
  for (const line of linesOf(text)) {
    if (!/^ *\d+ +\d+ \S+( \d+){11}/.test(line)) refuse('busybox iostat', 'a disk', line)
  }
}

export function checkPartitions(text: string): void {
  const [heading = '', blank, ...rows] = linesOf(text)
  if (!heading.startsWith('major') || blank !== '') refuse('fdisk', 'the heading', text)
  for (const row of rows) {
    if (!/^ *\d+ +\d+ +\d+ \S+$/.test(row)) refuse('fdisk', 'a partition', row)
  }
}
