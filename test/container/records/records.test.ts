/** Numbers that a server keeps for the next one, whenever it is killed. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type MapNumbers, Records } from '../../../src/container/records/records.ts'
import type { Kept } from '../../../src/proc/kept.ts'
import { numberMap } from '../../machines/records.ts'

/** A run directory that many servers use, one after the other. */
function runDirectory(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-records-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const memory = new Map<string, Float64Array>()
  const reports: string[] = []
  const start = (map: MapNumbers = numberMap(memory)) =>
    new Records(directory, map, message => reports.push(message))
  const files = () => readdirSync(join(directory, 'records'))
  return { directory, memory, reports, start, files, folder: join(directory, 'records') }
}

const store = (kept: Kept, ...numbers: number[]) =>
  kept.store(Float64Array.from(numbers), numbers.length)

function load(kept: Kept): number[] {
  const numbers = new Float64Array(kept.count)
  kept.load(numbers)
  return [...numbers]
}

t.test('the next server finds what was stored', async t => {
  const { start, reports } = runDirectory(t)
  const first = start()
  const cpu = first.of(5, 'box')(1)
  t.strictSame(load(cpu), [])
  store(cpu, 1, 2, 3)
  t.strictSame(load(cpu), [1, 2, 3])
  store(cpu, 4)
  store(first.of(5, 'box')(2), 8)
  store(first.of(2 ** 44, 'other')(1), 9)
  t.strictSame(load(first.of(5, 'box')(1)), [4], 'a view that is opened again')
  const next = start()
  const find = next.of(5, 'box')
  t.strictSame([load(find(1)), load(find(2)), load(find(3))], [[4], [8], []])
  t.strictSame(load(next.of(2 ** 44, 'other')(1)), [9])
  t.strictSame(reports, [])
})

t.test('another container that got the slot finds nothing', async t => {
  const { start } = runDirectory(t)
  store(start().of(5, 'first')(1), 1)
  const next = start()
  t.strictSame(load(next.of(5, 'second')(1)), [])
  t.strictSame(load(next.of(5, 'first')(1)), [], 'it is gone for good')
})

t.test('a record that becomes larger moves, and its place serves others', async t => {
  const { start, files } = runDirectory(t)
  const records = start()
  const growing = records.of(5, 'box')(1)
  for (const count of [1, 13, 14, 29, 30, 61, 62, 1000, 40_000]) {
    const numbers = Array.from({ length: count }, (_, i) => count + i)
    store(growing, ...numbers)
    t.strictSame(load(growing), numbers)
    t.strictSame(load(start().of(5, 'box')(1)), numbers)
  }
  const known = files()
  for (const [slot, count] of [
    [6, 13],
    [7, 29],
    [8, 61],
    [9, 1000],
  ] as const) {
    store(records.of(slot, 'box')(1), ...new Array(count).fill(slot))
  }
  t.strictSame(files(), known)
})

t.test('records are many, and those of forgotten containers serve others', async t => {
  const { start, files } = runDirectory(t)
  const records = start()
  const fill = (first: number) => {
    for (let slot = first; slot < first + 2000; slot++) {
      records.tidy(other => other >= first)
      store(records.of(slot, `c${slot}`)(1), ...new Array(40).fill(slot))
    }
  }
  fill(1)
  const before = files().length
  t.equal(before, 16, 'files of 128 KiB')
  for (let slot = 1; slot <= 2000; slot += 99) {
    t.strictSame(load(records.of(slot, `c${slot}`)(1))[39], slot)
  }
  for (let round = 1; round <= 5; round++) fill(1 + round * 2000)
  t.ok(files().length <= 2 * before + 2, `${files().length} files`)
})

t.test('a record that is given to another is not written by the one that had it', async t => {
  const { start } = runDirectory(t)
  const records = start()
  const first = records.of(5, 'box')(1)
  store(first, 1)
  records.of(5, 'other')
  const second = records.of(6, 'third')(1)
  store(second, 2)
  t.strictSame(load(first), [])
  store(first, 3)
  t.strictSame(load(second), [2])
})

/** Memory of a server that is killed after so many stores: those that follow are none. */
function mortalMap(memory: Map<string, Float64Array>, mostStores: number) {
  const map = numberMap(memory)
  const life = { stores: 0, isOver: () => life.stores > mostStores }
  const mortal: MapNumbers = (file, count) =>
    new Proxy(map(file, count), {
      get: (numbers, key) => Reflect.get(numbers, key, numbers),
      set: (numbers, key, value) =>
        ++life.stores > mostStores || Reflect.set(numbers, key, value, numbers),
    })
  return { mortal, life }
}

t.test('a server may be killed at any store', async t => {
  const step = fc.record({
    slot: fc.integer({ min: 1, max: 3 }),
    what: fc.integer({ min: 1, max: 2 }),
    count: fc.constantFrom(1, 2, 5, 13, 14, 30),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(200), (steps, most) => {
      const { start, memory, reports, folder } = runDirectory(t)
      const stored = new Map<string, number[]>()
      let begun: [key: string, numbers: number[]] | undefined
      const { mortal, life } = mortalMap(memory, most)
      const records = start(mortal)
      for (const [i, { slot, what, count }] of steps.entries()) {
        const numbers = Array.from({ length: count }, (_, k) => 100 * i + k)
        begun = [`${slot} ${what}`, numbers]
        store(records.of(slot, `c${slot}`)(what), ...numbers)
        if (life.isOver()) break
        stored.set(...begun)
        begun = undefined
      }
      const next = start()
      for (const slot of [1, 2, 3]) {
        for (const what of [1, 2]) {
          const key = `${slot} ${what}`
          const found = load(next.of(slot, `c${slot}`)(what)).join()
          const good = [stored.get(key) ?? [], ...(begun?.[0] === key ? [begun[1]] : [])]
          if (!good.some(numbers => numbers.join() === found)) {
            throw new Error(`${key} has ${found} of ${JSON.stringify(good)}`)
          }
        }
      }
      // Only a file that was just made, and has nothing yet, may be refused.
      if (reports.length > 1) throw new Error(reports.join('\n'))
      rmSync(folder, { recursive: true })
    }),
    { numRuns: 500 },
  )
})

t.test('a file that is not ours is refused with a reason, and the others are used', async t => {
  const cases: [why: RegExp, damage: (numbers: Float64Array) => void][] = [
    [/does not begin as such a file does/, numbers => numbers.fill(0)],
    [/does not begin as such a file does/, numbers => numbers.fill(Number.NaN)],
    [/has version 2, not 1/, numbers => numbers.fill(2, 1, 2)],
    [/records have 64 numbers, not 32/, numbers => numbers.fill(64, 2, 3)],
  ]
  for (const [why, damage] of cases) {
    const { start, memory, reports, files } = runDirectory(t)
    const records = start()
    store(records.of(5, 'box')(1), 1)
    store(records.of(5, 'box')(2), ...new Array(20).fill(2))
    const [[file, numbers] = []] = [...memory].filter(([file]) => file.endsWith('/32-0'))
    if (file === undefined || numbers === undefined) throw new Error('Cannot find the file')
    damage(numbers)
    memory.set(file, numbers)
    const next = start()
    t.match(reports, [why])
    t.match(reports, [/32-0 is not used, and what it held begins anew/])
    t.strictSame([load(next.of(5, 'box')(1)), load(next.of(5, 'box')(2)).length], [[], 20])
    store(next.of(5, 'box')(1), 7)
    t.strictSame(files(), ['32-2', '64-1'])
    t.strictSame(load(start().of(5, 'box')(1)), [7])
    t.equal(reports.length, 1)
  }
})

t.test('whatever lies in the directory, a server starts', async t => {
  const { start, reports, folder, files } = runDirectory(t)
  mkdirSync(join(folder, '64-3'), { recursive: true })
  mkdirSync(join(folder, 'a'))
  symlinkSync('32-5', join(folder, '32-5'))
  for (const name of ['32-1', '33-1', '32', 'x', '999999999-0', '1073741824-1']) {
    writeFileSync(join(folder, name), 'text')
  }
  store(start().of(5, 'box')(1), 1)
  t.equal(reports.length, 9)
  t.match(files(), ['32-5', '32-6'], 'only the link is left')
  writeFileSync(join(folder, '../other'), '')
  const nowhere = new Records(join(folder, '../other'), numberMap(), each => reports.push(each))
  const kept = nowhere.of(5, 'box')(1)
  store(kept, 1, 2)
  store(kept, 3)
  t.strictSame(load(kept), [3], 'without a file numbers are kept as long as the server runs')
})

t.test('damaged records begin anew', async t => {
  const bad: [cell: number, value: number][] = [
    ...[0.5, -1, Number.NaN, 2 ** 44 + 1].map((slot): [number, number] => [0, slot]),
    ...[-1, 0.5, 0, Number.NaN, Number.POSITIVE_INFINITY].map((n): [number, number] => [3, n]),
    ...[-1, 0.5, 14, Number.NaN].map((count): [number, number] => [4 + 14, count]),
  ]
  for (const [cell, value] of bad) {
    const { start, memory, reports } = runDirectory(t)
    const records = start()
    store(records.of(5, 'box')(1), 1)
    store(records.of(6, 'box')(1), 2)
    const [numbers] = memory.values()
    if (numbers === undefined) throw new Error('Cannot find the numbers')
    numbers[8 + cell] = value
    const next = start()
    t.match(reports, [/^1 records of .*32-0 are damaged, and begin anew$/], `${value} at ${cell}`)
    t.strictSame([load(next.of(5, 'box')(1)), load(next.of(6, 'box')(1))], [[], [2]])
  }
})

t.test('when there is no room numbers are kept as long as the server runs', async t => {
  const { start, memory, reports } = runDirectory(t)
  let isFull = false
  const map = numberMap(memory)
  const records = start((file, count) => {
    if (isFull) throw new Error('ENOSPC')
    return map(file, count)
  })
  const kept = records.of(5, 'box')(1)
  store(kept, 1)
  isFull = true
  store(kept, ...new Array(20).fill(2))
  t.strictSame(load(kept), new Array(20).fill(2))
  store(kept, 3)
  t.strictSame(load(kept), [3])
  store(records.of(6, 'other')(1), ...new Array(20).fill(2))
  t.equal(reports.length, 1)
  t.match(reports, [/cannot keep what a container accumulates for the next server: .*ENOSPC/])
  t.strictSame(load(start().of(5, 'box')(1)), [1], 'the next one goes on from what it finds')
  isFull = false
  for (let i = 0; i < 99; i++) store(kept, ...new Array(20).fill(i))
  t.strictSame(load(kept), new Array(20).fill(98))
  t.strictSame(load(start().of(5, 'box')(1)), load(kept), 'once there is room they are kept again')
  store(kept, 4)
  t.strictSame(load(start().of(5, 'box')(1)), [4])
})
