/** meminfo and swaps add up, whatever a container's memory cgroups say. */

import fc from 'fast-check'
import t from 'tap'
import { findCount } from '../../src/cgroup/numbers.ts'
import { renderMeminfo } from '../../src/proc/meminfo.ts'
import { renderSwaps } from '../../src/proc/swaps.ts'
import * as htop from '../consumers/htop.ts'
import { numbers } from '../machines/sample-host.ts'
import { openContainer } from './container.ts'
import { anyHost, hostFiles, SMALL_HOST } from './hosts.ts'
import { ensure, holds } from './runs.ts'
import { v2Files } from './tree-v2.ts'
import { anyTree, HEALTHY_LEVEL } from './trees.ts'

const values = fc.record({
  host: anyHost.map(host => ({ ...host, cpus: 1 })),
  tree: anyTree,
  options: fc.record({
    swap: fc.constantFrom('on', 'off'),
    v1SwapTotal: fc.constantFrom('diff', 'memsw'),
    clampFreeToHost: fc.constantFrom('off', 'on'),
  }),
})

function rendered({
  host,
  tree,
  options,
}: typeof values extends fc.Arbitrary<infer T> ? T : never) {
  const machine = hostFiles(host)
  const { view } = openContainer(machine, tree, options)
  const text = renderMeminfo(view).toString()
  return { text, swaps: renderSwaps(view), seen: numbers(text), machine: machine['proc/meminfo'] }
}

const MANY = { minLength: 1, maxLength: 7 }
const FEW = { minLength: 1, maxLength: 3 }

const keysOf = (text: string) => text.match(/^.+(?=:)/gm)?.join()

t.test("the host's lines have parts that are never more than the whole", async t => {
  holds(t, values, value => {
    const { text, seen, machine } = rendered(value)
    ensure(keysOf(text) === keysOf(String(machine)), () => `other lines:\n${text}`)
    const kib = (key: string) => seen[key] ?? 0
    const most = (key: string, limit: number) =>
      ensure(kib(key) <= limit, () => `${key} is above ${limit}:\n${text}`)
    ensure(kib('MemTotal') > 0, () => `no memory at all:\n${text}`)
    const host = numbers(String(machine))
    most('MemTotal', host.MemTotal ?? 0)
    most('MemFree', kib('MemTotal') - kib('Buffers') - kib('Cached') - kib('SReclaimable'))
    most('MemAvailable', kib('MemTotal'))
    most('MemAvailable', Math.max(host.MemAvailable ?? 0, 1))
    if (value.options.clampFreeToHost === 'on') {
      most('MemFree', host.MemFree ?? 0)
      most('SwapFree', host.SwapFree ?? 0)
    }
    most('SwapFree', kib('SwapTotal'))
    most('SwapTotal', host.SwapTotal ?? 0)
    most('Shmem', kib('Cached'))
    most('KReclaimable', kib('MemTotal'))
    most('HugePages_Free', kib('HugePages_Total'))
    for (const key of Object.keys(seen)) most(key, Number.MAX_SAFE_INTEGER)
  })
})

t.test('no more is available than memory.high leaves at any level', async t => {
  const room = fc.nat(2 ** 31).map(String)
  const level = fc
    .record({
      memoryLimit: fc.integer({ min: 4096 }).map(String),
      memoryHigh: room,
      memoryUsage: room,
      memoryStat: fc.array(room, MANY),
    })
    .map(memory => ({ ...HEALTHY_LEVEL, ...memory }))
  const tree = fc.record({ kind: fc.constantFrom('v2', 'mixed'), levels: fc.array(level, FEW) })
  holds(t, tree, ({ kind, levels }) => {
    const { view } = openContainer(hostFiles(SMALL_HOST), { kind, levels, threads: '' })
    const { MemAvailable = 0, MemFree = 0 } = numbers(renderMeminfo(view).toString())
    for (const level of levels) {
      const text = v2Files(['memory'], level)['memory.stat'] ?? ''
      const of = (key: string) => findCount(text, key) ?? 0
      const used = Number(level.memoryUsage)
      const caches = of('active_file') + of('inactive_file') + of('slab_reclaimable')
      const most = Math.max(Number(level.memoryHigh) - used, 0) + Math.min(caches, used)
      const mostKib = Math.max(Math.floor(most / 1024), Math.min(MemFree, 1))
      ensure(MemAvailable <= mostKib, () => `${MemAvailable} kB of ${mostKib}`)
    }
  })
})

t.test('swaps has the numbers of meminfo', async t => {
  holds(t, values, value => {
    const { text, swaps, seen } = rendered(value)
    const { SwapTotal = 0, SwapFree = 0 } = seen
    const [, ...rows] = swaps.trimEnd().split('\n')
    const [, , size = '0', used = '0'] = rows[0]?.split(/\s+/) ?? []
    ensure(rows.length <= 1, () => `more than one row:\n${swaps}`)
    ensure(Number(size) === SwapTotal, () => `${size} for a size of:\n${text}`)
    ensure(Number(used) === SwapTotal - SwapFree, () => `${used} for a use of:\n${text}`)
  })
})

t.test('the swap cache is part of the swap in use, which htop takes it from', async t => {
  holds(t, values, value => htop.checkMeminfo(rendered(value).text))
})
