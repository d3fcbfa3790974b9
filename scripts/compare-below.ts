/** What scripts/compare-lxcfs.ts reads in a container without limits, in a cgroup that has some. */

import { existsSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Box, type BoxOptions } from '../test/kit/box.ts'
import { cgroupsOf } from '../test/kit/cgroups.ts'
import type { Cleanups } from '../test/kit/cleanups.ts'
import type { Site } from '../test/kit/site.ts'

/** By the files of cgroup v2 and v1; those that are there count. */
const LIMITS = [
  ['memory.max', 32 * 2 ** 20],
  ['memory.limit_in_bytes', 32 * 2 ** 20],
  ['cpu.max', '50000 100000'],
  ['cpu.cfs_quota_us', 50_000],
] as const

/** Rows `name, MemTotal, CPUs in cpuinfo, CPUs in stat` with 32 MiB and half a CPU above; `root` is where a reader's files are. */
export async function readBelowLimits(
  cleanups: Cleanups,
  site: Site,
  options: BoxOptions,
  readers: readonly { name: string; root: string }[],
): Promise<string[][]> {
  const cgroupParent = `compare-lxcfs-above-${process.pid}`
  const box = new Box(site, `below-${process.pid}`, { ...options, cgroupParent })
  cleanups.add(() => box.remove())
  await box.start()
  const above = new Set(cgroupsOf(await box.pid()).map(path => dirname(path)))
  cleanups.add(async () => {
    await box.remove()
    for (const directory of above) if (existsSync(directory)) rmdirSync(directory)
  })
  for (const [name, value] of LIMITS) {
    const files = [...above].map(directory => join(directory, name)).filter(existsSync)
    for (const file of files) writeFileSync(file, String(value))
  }
  const rows = readers.map(async ({ name, root }) => [
    name,
    await box.sh(`sed -n 's/^MemTotal: *//p' ${root}/proc/meminfo`),
    await box.sh(`grep -c ^processor ${root}/proc/cpuinfo`),
    await box.sh(`grep -c '^cpu[0-9]' ${root}/proc/stat`),
  ])
  return Promise.all(rows)
}
