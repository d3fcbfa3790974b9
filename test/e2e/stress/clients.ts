/** What must hold in the output of psutil, top and node_exporter while the limits change. */

import type { Metrics } from '../clients/exporter.ts'
import { Counters } from './counters.ts'
import { cpuCount, memoryKib, STEPS } from './limits.ts'

const isTotal = (kib: number) => STEPS.some(limits => memoryKib(limits) === kib)
const isCount = (cpus: number) => STEPS.some(limits => cpuCount(limits) === cpus)

/** What the script for psutil prints, in bytes and seconds. */
interface PsutilSample {
  total: number
  available: number
  percent: number
  swapTotal: number
  swapFree: number
  count: number
  cpu: number[]
  cpus: number[][]
  disks: Record<string, number[]>
}

export class PsutilCheck {
  readonly counters = new Counters()
  readonly failures: string[] = []
  count = 0

  add(sample: PsutilSample): void {
    this.count++
    const { total, available, percent, swapTotal, swapFree, count, cpus } = sample
    const memory = isTotal(total / 1024) && available <= total && percent >= 0 && percent <= 100
    if (!memory || swapFree > swapTotal) this.failures.push(JSON.stringify(sample))
    if (!isCount(count) || !isCount(cpus.length))
      this.failures.push(`${count}, ${cpus.length} CPUs`)
    this.failures.push(...this.counters.check(psutilCounters(sample)))
  }
}

function* psutilCounters({ cpu, cpus, disks }: PsutilSample) {
  const rows: [string, number[]][] = [['cpu', cpu], ...Object.entries(disks)]
  for (const [i, times] of cpus.entries()) rows.push([`cpu${i}`, times])
  for (const [name, values] of rows) {
    for (const [i, value] of values.entries()) yield [`${name} ${i}`, value] as const
  }
}

/** Of `node_cpu_seconds_total` and the totals of `node_disk_*`. */
export class ExporterCheck {
  readonly counters = new Counters()
  readonly failures: string[] = []
  count = 0

  add(metrics: Metrics): void {
    this.count++
    const totalKib = (metrics.get('node_memory_MemTotal_bytes') ?? Number.NaN) / 1024
    if (!isTotal(totalKib)) this.failures.push(`MemTotal ${totalKib} kB`)
    const counters = [...metrics].filter(([name]) => COUNTER.test(name))
    this.failures.push(...this.counters.check(counters))
    for (const [name, value] of metrics) {
      if (name.startsWith('node_scrape_collector_success') && value !== 1) this.failures.push(name)
    }
  }
}

const COUNTER = /^node_(?:cpu_seconds|disk_\w+)_total/

interface TopCheck {
  screens: number
  failures: string[]
}

/** Output of `top -b`. */
export function checkTop(output: string): TopCheck {
  const failures: string[] = []
  const screens = output.split(/^top - /m).slice(1)
  for (const screen of screens) {
    const total = Number(/^MiB Mem : +([\d.]+) total/m.exec(screen)?.[1])
    if (!isTotal(total * 1024)) failures.push(`total ${total}`)
    const percents =
      /^%Cpu\(s\):(.*)$/m
        .exec(screen)?.[1]
        ?.match(/-?[\d.]+/g)
        ?.map(Number) ?? []
    const sum = percents.reduce((sum, percent) => sum + percent, 0)
    const wrong = percents.length !== 8 || percents.some(percent => !(percent >= 0))
    if (wrong || sum < 99 || sum > 101) failures.push(`percents ${percents}`)
  }
  return { screens: screens.length, failures }
}
