/** What must hold in a sample of all files, and from one to the next. */

import { checkFile } from '../../consumers/files.ts'
import { Counters, numbersOf } from './counters.ts'
import { type Changes, cpuCount, memoryKib, STEPS } from './limits.ts'

interface Sample {
  startMs: number
  endMs: number
  texts: readonly string[]
}

/** Lines of /proc/stat that count. procs_running and procs_blocked go up and down. */
const STAT_COUNTERS = /^(?:cpu|ctxt |processes |softirq |intr )/

export class SampleCheck {
  readonly #files: readonly string[]
  readonly #changes: Changes
  readonly #counters = new Counters()
  count = 0
  /** Samples while no limit changed: what they show is known exactly. */
  steady = 0
  readonly failures: string[] = []

  constructor(files: readonly string[], changes: Changes) {
    this.#files = files
    this.#changes = changes
  }

  /** How often a CPU's line came back. */
  get returned(): number {
    return this.#counters.returned
  }

  /** Of all CPUs since the container started: user, nice and system. */
  get workTicks(): number {
    return [0, 1, 2].reduce((sum, i) => sum + (this.#counters.get(`cpu ${i}`) ?? 0), 0)
  }

  add(sample: Sample): void {
    this.count++
    const texts = new Map(this.#files.map((file, i) => [file.slice(1), sample.texts[i] ?? '']))
    for (const [path, text] of texts) {
      try {
        checkFile(path, text)
      } catch (error) {
        this.#fail(error instanceof Error ? error.message : String(error))
      }
    }
    for (const fallen of this.#counters.check(countersOf(texts))) this.#fail(fallen)
    this.#checkLimits(sample, texts)
  }

  #checkLimits({ startMs, endMs }: Sample, texts: ReadonlyMap<string, string>): void {
    const totalKib = Number(/^MemTotal: +(\d+) kB$/m.exec(texts.get('proc/meminfo') ?? '')?.[1])
    const counts = cpuCounts(texts)
    const limits = this.#changes.during(startMs, endMs)
    if (limits === undefined) {
      if (!STEPS.some(step => memoryKib(step) === totalKib)) this.#fail(`MemTotal ${totalKib}`)
      if (!counts.every(count => count === 1 || count === 2)) this.#fail(`CPUs: ${counts}`)
      return
    }
    this.steady++
    const shown = [totalKib, ...counts].join(' ')
    const cpus = cpuCount(limits)
    const expected = [memoryKib(limits), cpus, cpus, cpus].join(' ')
    if (shown !== expected) this.#fail(`MemTotal and CPUs are ${shown} and not ${expected}`)
  }

  #fail(what: string): void {
    this.failures.push(`sample ${this.count}: ${what}`)
  }
}

function* countersOf(texts: ReadonlyMap<string, string>) {
  const lines = (path: string) => (texts.get(path) ?? '').split('\n').filter(line => line !== '')
  yield* numbersOf(lines('proc/stat').filter(line => STAT_COUNTERS.test(line)))
  // In flight, the ninth number, is no counter.
  for (const counter of numbersOf(lines('proc/diskstats'))) {
    if (!counter[0].endsWith(' 8')) yield counter
  }
  const [uptime, idle] = (texts.get('proc/uptime') ?? '').split(' ').map(Number)
  yield ['uptime', uptime ?? Number.NaN] as const
  yield ['idle', idle ?? Number.NaN] as const
  for (const [path, text] of texts) {
    for (const [, kind, total] of text.matchAll(/^(some|full) avg10.* total=(\d+)$/gm)) {
      yield [`${path} ${kind}`, Number(total)] as const
    }
  }
}

/** As stat, cpuinfo and online count them. */
function cpuCounts(texts: ReadonlyMap<string, string>): number[] {
  const matches = (path: string, pattern: RegExp) =>
    (texts.get(path) ?? '').match(pattern)?.length ?? 0
  const online = texts.get('sys/devices/system/cpu/online') ?? ''
  return [
    matches('proc/stat', /^cpu\d/gm),
    // On s390 a record of the first part has the number behind the word.
    matches('proc/cpuinfo', /^processor(?:\s*:| \d+:)/gm),
    online === '0\n' ? 1 : Number(/^0-(\d+)\n$/.exec(online)?.[1]) + 1,
  ]
}
