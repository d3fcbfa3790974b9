/** Files of a cgroup of version 2: admin-guide/cgroup-v2.rst. */

import { SAMPLE_MEMORY_STAT } from '../machines/sample-host.ts'
import type { Level } from './trees.ts'

type Texts = Record<string, string | undefined>

const STAT_KEYS = SAMPLE_MEMORY_STAT.trimEnd()
  .split('\n')
  .map(line => line.split(' ')[0] ?? '')

/** Those of `controllers`, and those that every cgroup has. */
export function v2Files(controllers: readonly string[], level: Level): Texts {
  const files: Texts = {
    'cpu.stat': cpuStat(level.cpuUsage),
    'cgroup.events': 'populated 1\nfrozen 0\n',
    'cpu.pressure': PRESSURE,
    'io.pressure': PRESSURE,
    'memory.pressure': PRESSURE,
    'irq.pressure': 'full avg10=0.00 avg60=0.00 avg300=0.00 total=17\n',
  }
  for (const controller of controllers) Object.assign(files, WRITERS[controller]?.(level))
  return files
}

const PRESSURE =
  'some avg10=1.00 avg60=2.00 avg300=3.00 total=4000\nfull avg10=0.10 avg60=0.20 avg300=0.30 total=400\n'

const line = (text: string | undefined) => (text === undefined ? undefined : `${text}\n`)

const WRITERS: Readonly<Record<string, (level: Level) => Texts>> = {
  memory: level => ({
    'memory.max': line(level.memoryLimit),
    'memory.high': line(level.memoryHigh),
    'memory.current': line(level.memoryUsage),
    'memory.swap.max': line(level.swapLimit),
    'memory.swap.current': line(level.swapUsage),
    'memory.events': 'low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n',
    'memory.stat': STAT_KEYS.map((key, i) => `${key} ${cycle(level.memoryStat, i)}\n`).join(''),
  }),
  cpu: level => ({
    'cpu.max': level.quota === undefined ? undefined : cpuMax(level.quota, level.period),
  }),
  cpuset: level => ({ 'cpuset.cpus.effective': line(level.cpuset) }),
  io: level => ({
    'io.stat': `8:0 rbytes=${level.ioCount} wbytes=5 rios=${level.ioCount} wios=7 dbytes=0 dios=0\n253:0\n`,
  }),
  hugetlb: level => ({
    'hugetlb.2MB.max': line(level.hugeLimit),
    'hugetlb.2MB.current': line(level.hugeUsage),
  }),
}

const cpuMax = (quota: string, period: string) => `${quota === '-1' ? 'max' : quota} ${period}\n`

/** The unified hierarchy does not tell CPUs apart. */
export function cpuStat(usage: Level['cpuUsage']): string {
  const user = usage.reduce((sum, [user]) => sum + user, 0)
  const system = usage.reduce((sum, [, system]) => sum + system, 0)
  return `usage_usec ${user + system}\nuser_usec ${user}\nsystem_usec ${system}\nnice_usec ${Math.floor(user / 5)}\n`
}

const cycle = (values: readonly string[], i: number) => values[i % values.length] ?? '0'
