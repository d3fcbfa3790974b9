import fc from 'fast-check'
import t from 'tap'
import {
  addWork,
  capWork,
  fillWork,
  spreadWork,
  takeWork,
  workUsec,
} from '../../../src/proc/cpu/work.ts'

type Work = readonly number[]

const work = (...usec: Work): Work => usec
const NO_WORK = work(0, 0, 0)

function workSince(now: Work, before: Work, mostUsec: number): Work {
  const used = Float64Array.from([7, ...now])
  takeWork(used, 1, Float64Array.from([7, 7, ...before]), 2, mostUsec)
  return [...used.subarray(1)]
}

function cap(all: Work, mostUsec: number): Work {
  const capped = Float64Array.from(all)
  capWork(capped, 0, mostUsec)
  return [...capped]
}

function spread(own: readonly Work[], common: Work, weights: Work, roomUsec: number) {
  const busy = Float64Array.from(own.flat())
  const left = Float64Array.from(common)
  spreadWork(busy, own.length, left, Float64Array.from(weights), roomUsec)
  return { busy: own.map((_, i) => [...busy.subarray(3 * i, 3 * i + 3)]), left: [...left] }
}

t.test('work since a reading is the difference', async t => {
  t.same(workSince(work(5, 2, 9), work(1, 2, 3), 100), work(4, 0, 6))
})

t.test('time that moved from user to system is not used again', async t => {
  t.same(workSince(work(90, 0, 30), work(100, 0, 10), 1000), work(0, 0, 10))
  t.same(workSince(work(90, 10, 20), work(100, 0, 10), 1000), work(0, 5, 5))
})

t.test('a cgroup made anew counts from zero', async t => {
  t.same(workSince(work(2, 0, 1), work(300, 0, 100), 1000), work(2, 0, 1))
  t.same(workSince(work(2, 0, 100), work(300, 0, 100), 1000), work(2, 0, 0))
})

t.test('a counter that fell but is more than could be used adds nothing', async t => {
  t.same(workSince(work(299, 0, 100), work(300, 0, 100), 50), NO_WORK)
})

t.test('a part of the work has its mix', async t => {
  t.same(cap(work(30, 0, 10), 20), work(15, 0, 5))
  t.same(cap(work(30, 0, 10), 50), work(30, 0, 10))
})

t.test('common work goes by weight, evenly without one', async t => {
  const weighed = spread([NO_WORK, NO_WORK], work(8, 0, 4), [3, 1], 100)
  t.same(weighed, { busy: [work(6, 0, 3), work(2, 0, 1)], left: NO_WORK })
  const even = spread([NO_WORK, NO_WORK], work(8, 0, 4), [0, 0], 100)
  t.same(even.busy, [work(4, 0, 2), work(4, 0, 2)])
})

t.test('what one CPU has no room for goes to the others by their room, in its own mix', async t => {
  const { busy, left } = spread([work(0, 0, 16), work(4, 0, 0), NO_WORK], NO_WORK, [16, 4, 0], 10)
  t.same(busy, [work(0, 0, 10), work(4, 0, 2.25), work(0, 0, 3.75)])
  t.same(left, NO_WORK)
})

t.test('what no CPU has room for is left, in its mix', async t => {
  const { busy, left } = spread([NO_WORK], work(15, 0, 5), [1], 10)
  t.same(busy, [work(7.5, 0, 2.5)])
  t.same(left, work(7.5, 0, 2.5))
})

t.test('CPUs are filled one after the other, the last one to its fraction', async t => {
  const fill = (first: number, common: Work) => {
    const busy = Float64Array.from([work(10, 0, 10), NO_WORK, NO_WORK].flat())
    const left = Float64Array.from(common)
    fillWork(busy, first, left, { usec: 80, leastCpus: 1, mostCpus: 2.5 })
    return [[...busy.subarray(0, 3)], [...busy.subarray(3, 6)], [...busy.subarray(6)], [...left]]
  }
  t.same(fill(0, work(30, 0, 10)), [work(40, 0, 20), NO_WORK, NO_WORK, NO_WORK])
  t.same(fill(1, work(75, 0, 25)), [work(10, 0, 10), work(60, 0, 20), work(15, 0, 5), NO_WORK])
  t.same(fill(1, work(0, 160, 0)), [
    work(10, 0, 10),
    work(0, 80, 0),
    work(0, 40, 0),
    work(0, 40, 0),
  ])
})

t.test('no work is lost and no CPU has more than its room', async () => {
  const usec = fc.nat(100_000)
  const works = fc.tuple(usec, usec, usec)
  fc.assert(
    fc.property(
      fc.array(works, { minLength: 1, maxLength: 9 }),
      works,
      fc.nat(200_000),
      (own, common, room) => {
        const { busy, left } = spread(own, common, own.map(sum), room)
        const given = addAll([...own, common])
        const found = addAll([...busy, left])
        const near = (a: number, b: number) => Math.abs(a - b) < 1e-3
        return (
          given.every((part, i) => near(part, found[i] as number)) &&
          busy.every(one => sum(one) <= room + 1e-3) &&
          (sum(left) < 1e-3 || busy.every(one => near(sum(one), room)))
        )
      },
    ),
  )
})

const sum = (one: Work) => workUsec(Float64Array.from(one))

function addAll(works: readonly Work[]): Float64Array {
  const all = new Float64Array(3)
  for (const one of works) addWork(all, 0, Float64Array.from(one), 0)
  return all
}
