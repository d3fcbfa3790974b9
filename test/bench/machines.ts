/** What a read costs on machines with few and with many CPUs: captured texts stand for the machine. */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from './client.ts'
import { cpuUsec } from './process.ts'
import type { Effort } from './reading.ts'
import { figure, type Report, spread } from './report.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'

const SIZES = [2, 64] as const

interface Machine {
  cpus: number
  pid: number
  mountPoint: string
}

export async function machines(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const client = new Client([stage.programs.reader])
  const running: Machine[] = []
  try {
    for (const cpus of SIZES) running.push(await start(stage, cpus))
    const rows = [['file', ...SIZES.map(cpus => `${cpus} CPUs, CPU us`), 'ratio']]
    for (const file of ['cpuinfo', 'stat']) {
      const used = new Map<number, number[]>(SIZES.map(cpus => [cpus, []]))
      for (let round = 0; round <= effort.rounds; round++) {
        for (const { cpus, pid, mountPoint } of running) {
          const before = cpuUsec(pid)
          const path = join(mountPoint, 'containers/box/proc', file)
          const pass = await client.read('open', 1, effort.milliseconds, path)
          const usec = (cpuUsec(pid) - before) / pass.latenciesUsec.length
          if (round === 0) continue
          used.get(cpus)?.push(usec)
          report.add({ part: 'machines', cpus, file, cpuUsec: usec })
        }
      }
      const [few = [], many = []] = SIZES.map(cpus => used.get(cpus) ?? [])
      const ratios = many.map((usec, i) => usec / (few[i] ?? Number.NaN))
      rows.push([file, figure(median(few)), figure(median(many)), spread(ratios)])
    }
    report.table('CPU time of the server for one open, read and close, microseconds', rows)
  } finally {
    await client.end()
  }
}

/** A server of our own that takes a folder for the machine. */
async function start(stage: Stage, cpus: number): Promise<Machine> {
  const directory = mkdtempSync(join(stage.site.directory, `machine-${cpus}-`))
  const mountPoint = join(directory, 'mount')
  mkdirSync(mountPoint)
  for (const [path, text] of Object.entries(files(cpus))) {
    const file = join(directory, 'root', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const program = fileURLToPath(new URL('machine-server.ts', import.meta.url))
  const file = 'containers/box/proc/stat'
  const { pid } = await stage.serve(process.execPath, [program, directory], mountPoint, file)
  return { cpus, pid, mountPoint }
}

function files(cpus: number): Record<string, string> {
  const all = Array.from({ length: cpus }, (_, cpu) => cpu)
  const ticks = (cpu: number) =>
    `${910_000 + cpu} 120 ${400_000 + cpu} 9000000 1200 0 3400 5600 0 0`
  const usage = all.map(cpu => `${cpu} ${3_100_000_000 + cpu} ${900_000_000 + cpu}`)
  const flags =
    'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2'
  const record = (cpu: number) =>
    [
      `processor\t: ${cpu}`,
      'vendor_id\t: GenuineIntel',
      'cpu family\t: 6',
      'model\t\t: 143',
      'model name\t: Intel(R) Xeon(R) Processor @ 2.10GHz',
      'stepping\t: 8',
      'cpu MHz\t\t: 2100.000',
      'cache size\t: 266240 KB',
      `physical id\t: ${cpu % 2}`,
      `siblings\t: ${cpus / 2}`,
      `core id\t\t: ${cpu >> 1}`,
      `cpu cores\t: ${cpus / 2}`,
      `apicid\t\t: ${cpu}`,
      `initial apicid\t: ${cpu}`,
      'fpu\t\t: yes',
      `flags\t\t: ${flags.repeat(4)}`,
      'bogomips\t: 4200.00',
      'address sizes\t: 46 bits physical, 57 bits virtual',
      'power management:',
      '',
      '',
    ].join('\n')
  return {
    'proc/cpuinfo': all.map(record).join(''),
    'proc/stat': `cpu  ${ticks(0)}\n${all.map(cpu => `cpu${cpu} ${ticks(cpu)}\n`).join('')}intr 12345 ${'0 '.repeat(500)}\nctxt 99999\nbtime 1700000000\nprocesses 4711\nprocs_running 2\nprocs_blocked 0\n`,
    'proc/self/mountinfo': ['cpuset', 'cpu,cpuacct']
      .map(
        (name, i) =>
          `${30 + i} 20 0:${30 + i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`,
      )
      .join(''),
    'sys/devices/system/cpu/online': `0-${cpus - 1}\n`,
    'sys/fs/cgroup/cpuset/box/cpuset.effective_cpus': `0-${cpus - 1}\n`,
    'sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/box/cpuacct.usage_all': `cpu user system\n${usage.join('\n')}\n`,
    'sys/fs/cgroup/cpu,cpuacct/box/tasks': '',
  }
}
