/**
 * /proc/cpuinfo as arch/s390/kernel/processor.c writes it: a summary with one line for each CPU, then, on
 * newer kernels, a block for each.
 */

import type { VisibleCpus } from './cpu/visible.ts'
import { setNumbers, topologyNumbers } from './cpuinfo-topology.ts'
import type { Options } from './options.ts'

/** The visible CPUs' lines and blocks. Text that names no CPU, of whatever architecture, comes back as it is. */
export function limitCpuinfoS390(
  text: string,
  cpus: VisibleCpus,
  options: Pick<Options, 'topology'>,
): string {
  const present = new Set(Array.from(text.matchAll(PROCESSOR), ([, , cpu]) => Number(cpu)))
  const shown = cpus.effective.filter(cpu => present.has(cpu)).slice(0, cpus.count)
  if (shown.length === 0) return text
  const virtual = new Map(shown.map((cpu, i) => [cpu, i]))

  const [summary = '', ...blocks] = text.replace(/\n+$/, '').split('\n\n')
  const limited = [limitSummary(summary, virtual)]
  for (const block of blocks) {
    const number = CPU_NUMBER.exec(block)
    const i = number === null ? undefined : virtual.get(Number(number[1]))
    if (i !== undefined) {
      const numbers = topologyNumbers(options.topology, i, shown.length)
      limited.push(setNumbers(block, numbers.set('cpu number', i)))
    } else if (number === null) {
      limited.push(block)
    }
  }
  return `${limited.join('\n\n')}\n`
}

const PROCESSOR = /^(processor )(\d+)(:.*)\n?/gm
const CPU_NUMBER = /^cpu number\s*:\s*(\d+)/

function limitSummary(summary: string, virtual: ReadonlyMap<number, number>): string {
  const lines = setNumbers(summary, new Map([['# processors', virtual.size]]))
  return lines
    .replace(PROCESSOR, (_, name, cpu, rest) => {
      const i = virtual.get(Number(cpu))
      return i === undefined ? '' : `${name}${i}${rest}\n`
    })
    .replace(/\n$/, '')
}
