/** Node's os module: https://github.com/libuv/libuv, src/unix/linux.c */

import { linesOf, refuse } from './refusal.ts'

/** Numbers of the CPUs that os.cpus() has, in its order: without any it is []. */
export function readCpus(stat: string): number[] {
  const cpus: number[] = []
  // The first line is passed over, whatever it says.
  for (const line of linesOf(stat).slice(1)) {
    const [, cpu] = /^cpu(\d+)(?: \d+){6}/.exec(line) ?? []
    if (cpu === undefined) break
    cpus.push(Number(cpu))
  }
  return cpus
}

export function checkStat(text: string): void {
  if (readCpus(text).length === 0) refuse('libuv', 'the CPUs of stat', text)
}

/** A CPU of stat whose number is not in cpuinfo has the model "unknown", on x86 and where cpuinfo has models. */
export function checkModels(stat: string, cpuinfo: string): void {
  if (!/^model name\s*:/m.test(cpuinfo)) return
  const known = new Set<number>()
  for (const [, cpu] of cpuinfo.matchAll(/^processor\s*: (\d+)$/gm)) known.add(Number(cpu))
  for (const cpu of readCpus(stat)) {
    if (!known.has(cpu)) refuse('libuv', `the model of CPU ${cpu}`, cpuinfo)
  }
}

/** MemAvailable came with Linux 3.14: os.freemem() asks sysinfo(2) where it is missing. */
export function checkMeminfo(text: string): void {
  if (!/^MemTotal: +\d+ kB$/m.test(text)) refuse('libuv', 'MemTotal', text)
  const available = /^MemAvailable:.*$/m.exec(text)?.[0]
  if (available !== undefined && !/^MemAvailable: +\d+ kB$/.test(available)) {
    refuse('libuv', 'MemAvailable', available)
  }
}

export function checkLoadavg(text: string): void {
  if (!/^\d+\.\d+ \d+\.\d+ \d+\.\d+/.test(text)) refuse('libuv', 'three loads', text)
}

export function checkUptime(text: string): void {
  if (!/^\d+\.\d+/.test(text)) refuse('libuv', 'the uptime', text)
}
