/** Parsers take any text that a broken kernel or a hostile container may give, and lose nothing of a good one. */

import fc from 'fast-check'
import t from 'tap'
import { parseCpuList, renderCpuList } from '../../src/cgroup/cpuset.ts'
import { parseLimit } from '../../src/cgroup/memory.ts'
import { bytesOf } from '../../src/host/directory-file.ts'
import { NO_TIME } from '../../src/proc/cpu/time.ts'
import { limitCpuinfo, parseCpuinfo } from '../../src/proc/cpuinfo.ts'
import { deviceKey } from '../../src/proc/disk/counters.ts'
import { parseDiskstats, parsePartitions } from '../../src/proc/disk/host-disks.ts'
import { countColumns, renderDiskstatsRows } from '../../src/proc/diskstats.ts'
import { parseFields } from '../../src/proc/lines.ts'
import { renderPartitionRows } from '../../src/proc/partitions.ts'
import { parseHostCpus, renderCpuLines } from '../../src/proc/stat.ts'
import { toCpuTimes } from '../machines/cpu-times.ts'
import { renderFields } from '../machines/fields.ts'
import { CPUINFO } from './cpuinfo-text.ts'
import { anyDamage } from './garbage.ts'
import { anyHost, diskstats, hostFiles } from './hosts.ts'
import { EIO } from './memory-host.ts'
import { GOOD_TEXTS, numbersIn, PARSERS } from './parsers.ts'
import { ensure, holds } from './runs.ts'

t.test('no text makes a parser throw, or give a number that is none', async t => {
  const values = fc.record({ text: fc.constantFrom(...GOOD_TEXTS), damage: anyDamage })
  holds(t, values, ({ text, damage }) => {
    const damaged = damage(text)
    if (damaged === undefined || damaged === EIO) return
    for (const [name, parse] of Object.entries(PARSERS)) {
      const found = numbersIn(parse(damaged))
      ensure(found.every(Number.isFinite), () => `${name} gave ${found}`)
    }
  })
})

t.test('a limit is a number of bytes or none', async t => {
  holds(t, anyDamage, damage => {
    const damaged = damage('1073741824\n')
    const bytes = parseLimit(bytesOf(typeof damaged === 'string' ? damaged : undefined))
    const isLimit = bytes === Number.POSITIVE_INFINITY || Number.isSafeInteger(bytes)
    ensure(isLimit && bytes >= 0, () => `${bytes} bytes`)
  })
})

t.test('meminfo survives a round trip', async t => {
  const host = anyHost.map(shape => String(hostFiles({ ...shape, cpus: 1 })['proc/meminfo']))
  holds(t, host, text => {
    ensure(renderFields(parseFields(text)) === text, () => renderFields(parseFields(text)))
  })
  const key = fc.string({ unit: fc.constantFrom(...'ABab_()1'), minLength: 1, maxLength: 24 })
  const field = fc.record({
    key: fc.oneof(
      key,
      key.map(key => `HugePages_${key}`),
    ),
    value: fc.maxSafeNat(),
  })
  const fields = fc.uniqueArray(field, { selector: ({ key }) => key, maxLength: 12 })
  holds(t, fields, fields => {
    const text = fields.map(kernelLine).join('')
    ensure(renderFields(parseFields(text)) === text, () => renderFields(parseFields(text)))
  })
})

/** fs/proc/meminfo.c and mm/hugetlb.c: `%8lu kB` behind 16 columns, `%5lu` behind 19. */
function kernelLine({ key, value }: { key: string; value: number }): string {
  if (key.startsWith('HugePages_')) {
    const name = `${key}:`.padEnd(18)
    return `${name} ${String(value).padStart(24 - name.length - 1)}\n`
  }
  const name = `${key}:`.padEnd(15)
  return `${name} ${String(value).padStart(24 - name.length - 1)} kB\n`
}

t.test('lists of CPUs survive a round trip', async t => {
  const numbers = fc.uniqueArray(fc.nat(600), { maxLength: 60 })
  holds(t, numbers, numbers => {
    const sorted = [...numbers].sort((a, b) => a - b)
    const text = renderCpuList(sorted)
    ensure(parseCpuList(`${text}\n`).join() === sorted.join(), () => text)
    ensure(!/(\d+),(\d+)/.test(text) || !hasNeighbours(text), () => `${text} is not the shortest`)
  })
})

/** Whether a list has two parts that the kernel would write as one. */
function hasNeighbours(text: string): boolean {
  const parts = text.split(',').map(part => part.split('-').map(Number))
  return parts.some(([first], i) => i > 0 && first === (parts[i - 1]?.at(-1) ?? 0) + 1)
}

t.test('the lines of CPUs survive a round trip', async t => {
  const ticks = fc.array(fc.nat(2 ** 39), { minLength: 10, maxLength: 10 })
  holds(t, fc.array(ticks, { minLength: 1, maxLength: 6 }), cpus => {
    const lines = cpus.map((ticks, cpu) => `cpu${cpu} ${ticks.join(' ')}\n`).join('')
    const times = [...parseHostCpus(`cpu  1 2 3 4\n${lines}intr 5\n`).values()]
    const text = renderCpuLines(toCpuTimes({ total: NO_TIME, cpus: times })).toString()
    ensure(text === `cpu  0 0 0 0 0 0 0 0 0 0\n${lines}`, () => text)
  })
})

t.test('cpuinfo survives a round trip, on every architecture', async t => {
  const values = fc.record({
    arch: fc.constantFrom(...(Object.keys(CPUINFO) as (keyof typeof CPUINFO)[])),
    cpus: fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 6 }),
  })
  holds(t, values, ({ arch, cpus }) => {
    const sorted = [...cpus].sort((a, b) => a - b)
    const text = CPUINFO[arch](sorted)
    const { header, records, trailer } = parseCpuinfo(text)
    ensure(header + [...records.values()].join('') + trailer === text, () => `parts of ${text}`)
    const effective = sorted.map((_, i) => i)
    const renumbered = limitCpuinfo(
      text,
      { effective: sorted, count: sorted.length, quotaCpus: sorted.length },
      { topology: 'host' },
    )
    const wanted = numbersOf(CPUINFO[arch](effective))
    ensure(numbersOf(renumbered) === wanted, () => `${renumbered} instead of ${wanted}`)
  })
})

/** The numbers that lines give to CPUs. */
const numbersOf = (cpuinfo: string) =>
  (cpuinfo.match(/^(processor|cpu number|# processors)\s*:?\s*\d+/gm) ?? []).join()

t.test('diskstats and partitions survive a round trip', async t => {
  const values = fc.record({
    kernel: fc.constantFrom('3.10' as const, '4.19' as const, '6.12' as const),
    count: fc.maxSafeNat(),
    sizes: fc.array(fc.integer({ min: 1, max: 2 ** 50 }), { maxLength: 5 }),
  })
  holds(t, values, ({ kernel, count, sizes }) => {
    const text = diskstats(kernel, count)
    const disks = parseDiskstats(text).map(disk => ({ ...NO_DISK, ...disk }))
    const again = renderDiskstatsRows(disks, countColumns(text))
    ensure(again === text, () => again)
    const rows = sizes.map(
      (size, i) => ` 259  ${String(i).padStart(7)} ${String(size).padStart(10)} nvme${i}\n`,
    )
    const table = `major minor  #blocks  name\n\n${rows.join('')}`
    const parsed = [...parsePartitions(table)].map(([key, row]) => {
      ensure(key === deviceKey(row), () => key)
      return { ...NO_DISK, ...row }
    })
    ensure(renderPartitionRows(parsed) === table, () => renderPartitionRows(parsed))
  })
})

const NO_DISK = {
  kernelName: '',
  wholeDisk: undefined,
  sizeKib: undefined,
  counters: undefined,
  hostCounters: undefined,
}
