import fc from 'fast-check'
import t from 'tap'
import { MemoryUsage, type Swap } from '../../../src/cgroup/memory.ts'
import { parseFields } from '../../../src/proc/lines.ts'
import { limitMeminfo } from '../../../src/proc/meminfo.ts'
import { HostMeminfo } from '../../../src/proc/memory/host-meminfo.ts'
import { kib, limitMemory, limitSwap } from '../../../src/proc/memory/limit.ts'
import { limitSwaps } from '../../../src/proc/swaps.ts'
import { numbers, SAMPLE_MEMINFO } from '../../machines/sample-host.ts'

const HOST = new HostMeminfo()
/** With the lines of a kernel that has high memory. */
const MEMINFO = `${SAMPLE_MEMINFO}HighTotal: 15384000 kB
HighFree: 7900000 kB
LowTotal: 1000000 kB
LowFree: 100000 kB
`
HOST.update({ buffer: Buffer.from(MEMINFO), length: MEMINFO.length, version: 1 })
const KEYS = parseFields(MEMINFO).map(field => field.key)
const HOST_TOTAL = 16384000
const HOST_SWAP = 4194304
const HOST_SWAPS = { totalKib: HOST_SWAP, freeKib: 4000000 }

/** Small ones, whole pages, more than the host has, and the largest there are. */
const bytes = fc.oneof(
  fc.nat({ max: 8192 }),
  fc.nat({ max: 2 ** 23 }).map(pages => pages * 4096),
  fc.maxSafeNat(),
)
const limit = fc.oneof(bytes, fc.constant(Number.POSITIVE_INFINITY))

const { length } = new MemoryUsage().stat
const stat = fc.array(bytes, { minLength: length, maxLength: length })
const usage = fc.tuple(bytes, stat).map(([usageBytes, stat]) => makeUsage(usageBytes, stat))

function makeUsage(usageBytes: number, stat: number[] = []): MemoryUsage {
  const usage = new MemoryUsage()
  usage.usageBytes = usageBytes
  usage.stat.set(stat)
  return usage
}

const UNTHROTTLED = { unthrottledBytes: Number.POSITIVE_INFINITY }

const memory = fc.record({
  limitBytes: limit,
  unthrottledBytes: limit,
  own: fc.option(usage, { nil: undefined }),
  level: usage,
  swap: fc.option<Swap, undefined>(
    fc.record({
      limitBytes: limit,
      memswLimitBytes: limit,
      usedBytes: bytes,
      levelUsedBytes: fc.option(bytes, { nil: undefined }),
    }),
    { nil: undefined },
  ),
})

const options = fc.record({
  swap: fc.constantFrom('on', 'off'),
  v1SwapTotal: fc.constantFrom('diff', 'memsw'),
  clampFreeToHost: fc.constantFrom('off', 'on'),
})

const overcommit = fc.record({ kbytes: fc.maxSafeNat(), ratio: fc.nat({ max: 2 ** 31 - 1 }) })

t.test('whatever the cgroups say, the numbers of meminfo fit together', async t => {
  const property = fc.property(memory, options, overcommit, (memory, options, overcommit) => {
    const limited = limitMemory(HOST_TOTAL, memory)
    if (limited === undefined) return memory.own === undefined
    const swap = limitSwap(HOST_SWAPS, memory, options)
    const clampFree = options.clampFreeToHost === 'on'
    const hugePages = { readPages: () => undefined, readCounts: () => [] }
    const limits = { memory: limited, swap, hugePages, overcommit, clampFree }
    const text = limitMeminfo(HOST, limits).toString()
    for (const line of text.split('\n').slice(0, -1)) {
      if (!/^[\w()]+: +\d+( kB)?$/.test(line)) return false
    }
    const seen = numbers(text)
    const of = (key: string) => seen[key] ?? Number.NaN
    return (
      parseFields(text)
        .map(field => field.key)
        .join() === KEYS.join() &&
      Object.values(seen).every(Number.isSafeInteger) &&
      of('MemTotal') > 0 &&
      of('MemTotal') <= HOST_TOTAL &&
      of('MemFree') + of('Buffers') + of('Cached') + of('SReclaimable') <= of('MemTotal') &&
      of('MemAvailable') <= of('MemTotal') &&
      of('MemAvailable') <= Math.max(kib(memory.unthrottledBytes), 1) &&
      // procps and htop would show MemFree in its place.
      (of('MemAvailable') > 0 || of('MemFree') === 0) &&
      (!clampFree || of('MemFree') <= 8000000) &&
      of('HighTotal') + of('LowTotal') === of('MemTotal') &&
      of('HighFree') + of('LowFree') === of('MemFree') &&
      of('LowFree') <= of('LowTotal') &&
      of('HighFree') <= of('HighTotal') &&
      of('Shmem') <= of('Cached') &&
      of('Active') === of('Active(anon)') + of('Active(file)') &&
      of('Slab') === of('SReclaimable') + of('SUnreclaim') &&
      of('KReclaimable') === of('SReclaimable') &&
      of('SwapTotal') <= HOST_SWAP &&
      of('SwapFree') <= of('SwapTotal') &&
      of('MemAvailable') <= 12000000 &&
      (!clampFree || of('SwapFree') <= HOST_SWAPS.freeKib)
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('swaps has a row exactly when there is swap, and its five words', async t => {
  const property = fc.property(memory, options, (memory, options) => {
    const swap = limitSwap(HOST_SWAPS, memory, options)
    const [header, row, end] = limitSwaps('Size\t\tUsed\n', swap).split('\n')
    if (swap.totalKib === 0) return header === 'Size\t\tUsed' && row === ''
    const words = row?.split(/\s+/) ?? []
    return words.length === 5 && Number(words[2]) >= Number(words[3]) && end === ''
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('memory counted only in an ancestor that leaves the whole host is unknown', async t => {
  const level = makeUsage(4096)
  t.equal(
    limitMemory(HOST_TOTAL, { ...UNTHROTTLED, limitBytes: 2 ** 40, own: undefined, level }),
    undefined,
  )
  t.same(limitMemory(HOST_TOTAL, { ...UNTHROTTLED, limitBytes: 2 ** 30, own: undefined, level }), {
    totalBytes: 2 ** 30,
    ...UNTHROTTLED,
    own: level,
    level,
  })
  t.equal(limitMemory(undefined, { ...UNTHROTTLED, limitBytes: 1, own: level, level }), undefined)
})

t.test('kibibytes are cut, not rounded', async t => {
  t.equal(kib(2047), 1)
})
