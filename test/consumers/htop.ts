/** https://github.com/htop-dev/htop, linux/LinuxMachine.c: its differences are unsigned, a wrong one shows 16.0E. */

import { linesOf, refuse } from './refusal.ts'

export function checkMeminfo(text: string): void {
  const kib = new Map<string, number>()
  for (const line of linesOf(text)) {
    const [, key, value] = /^(\S+?):\s+(\d+) kB$/.exec(line) ?? []
    if (key !== undefined) kib.set(key, Number(value))
  }
  const of = (key: string) => kib.get(key) ?? 0
  if (!kib.has('MemTotal')) refuse('htop', 'MemTotal', text)
  if (of('MemFree') > of('MemTotal')) refuse('htop', 'MemFree above MemTotal', text)
  if (of('Shmem') > of('Cached') + of('SReclaimable')) refuse('htop', 'Shmem above Cached', text)
  // A kernel may count a container's swap cache and not its swap.
  if (of('SwapTotal') > 0 && of('SwapFree') + of('SwapCached') > of('SwapTotal')) {
    refuse('htop', 'SwapFree and SwapCached, together above SwapTotal', text)
  }
}

export function checkStat(text: string): void {
  const lines = linesOf(text)
  const cpus = lines.filter(line => line.startsWith('cpu'))
  if (lines.slice(0, cpus.length).some(line => !line.startsWith('cpu'))) {
    refuse('htop', 'CPUs that all come first', text)
  }
  for (const line of cpus) {
    if (!/^cpu(\d+| )( \d+){10}$/.test(line)) refuse('htop', 'the times of a CPU', line)
  }
  if (!/^procs_running \d+$/m.test(text)) refuse('htop', 'procs_running', text)
  if (!/^btime \d+$/m.test(text)) refuse('htop', 'btime', text)
}

export function checkLoadavg(text: string): void {
  if (!/^\d+\.\d+ \d+\.\d+ \d+\.\d+/.test(text)) refuse('htop', 'three loads', text)
}

export function checkUptime(text: string): void {
  if (!/^\d+(\.\d+)?\s/.test(text)) refuse('htop', 'the uptime', text)
}
