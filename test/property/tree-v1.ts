/** Files of a cgroup of version 1: admin-guide/cgroup-v1/. */

import { SAMPLE_SLABINFO } from '../machines/sample-host.ts'
import type { Level } from './trees.ts'

type Texts = Record<string, string | undefined>

const STAT_KEYS = [
  'total_cache',
  'total_rss',
  'total_rss_huge',
  'total_shmem',
  'total_mapped_file',
  'total_dirty',
  'total_writeback',
  'total_swapcached',
  'total_swap',
  'total_inactive_anon',
  'total_active_anon',
  'total_inactive_file',
  'total_active_file',
  'total_unevictable',
]

/** `controller` as it is mounted, such as `cpu,cpuacct`. */
export function v1Files(controller: string, level: Level): Texts {
  return WRITERS[controller]?.(level) ?? {}
}

const line = (text: string | undefined) => (text === undefined ? undefined : `${text}\n`)

/** v1 has no word for no limit. */
const limit = (text: string | undefined) => line(text === 'max' ? '9223372036854771712' : text)

const WRITERS: Readonly<Record<string, (level: Level) => Texts>> = {
  memory: level => ({
    'memory.limit_in_bytes': limit(level.memoryLimit),
    'memory.usage_in_bytes': line(level.memoryUsage),
    'memory.memsw.limit_in_bytes': limit(level.swapLimit),
    'memory.memsw.usage_in_bytes': line(level.swapUsage),
    'memory.use_hierarchy': '1\n',
    'memory.swappiness': '60\n',
    'memory.kmem.usage_in_bytes': line(level.memoryStat[0]),
    'memory.kmem.slabinfo': SAMPLE_SLABINFO,
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'memory.stat': STAT_KEYS.map((key, i) => `${key} ${cycle(level.memoryStat, i)}\n`).join(''),
  }),
  'cpu,cpuacct': level => ({
    'cpu.cfs_quota_us': line(level.quota === 'max' ? '-1' : level.quota),
    'cpu.cfs_period_us': line(level.period),
    'cpuacct.usage_all': usageAll(level.cpuUsage),
    'cpuacct.usage_percpu': `${level.cpuUsage.map(([u, s]) => (u + s) * 1000).join(' ')} \n`,
    'cpuacct.stat': 'user 700\nsystem 300\n',
    'cpuacct.usage': `${level.cpuUsage.reduce((sum, [u, s]) => sum + u + s, 0) * 1000}\n`,
  }),
  cpuset: level => ({
    'cpuset.cpus': line(level.cpuset),
    'cpuset.effective_cpus': line(level.cpuset),
  }),
  blkio: level => ({
    'blkio.throttle.io_serviced_recursive': blkio(level.ioCount),
    'blkio.throttle.io_service_bytes_recursive': blkio(level.ioCount),
    'blkio.io_serviced_recursive': 'Total 0\n',
  }),
  hugetlb: level => ({
    'hugetlb.2MB.limit_in_bytes': limit(level.hugeLimit),
    'hugetlb.2MB.usage_in_bytes': line(level.hugeUsage),
  }),
  freezer: () => ({ 'freezer.state': 'THAWED\n' }),
}

export function usageAll(usage: Level['cpuUsage']): string {
  const lines = usage.map(([user, system], cpu) => `${cpu} ${user * 1000} ${system * 1000}\n`)
  return `cpu user system\n${lines.join('')}`
}

const blkio = (count: string) =>
  `8:0 Read ${count}\n8:0 Write 5\n8:0 Sync 5\n8:0 Async 0\n8:0 Discard 0\n8:0 Total ${count}\nTotal ${count}\n`

const cycle = (values: readonly string[], i: number) => values[i % values.length] ?? '0'
