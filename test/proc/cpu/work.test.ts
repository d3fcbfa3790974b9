import fc from 'fast-check'
import t from 'tap'
import {
  addWork,
  capWork,
  NO_WORK,
  spreadWork,
  type Work,
  workSince,
  workUsec,
} from '../../../src/proc/cpu/work.ts'

const work = (userUsec: number, niceUsec: number, systemUsec: number): Work => ({
  userUsec,
  niceUsec,
  systemUsec,
})

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
  t.same(capWork(work(30, 0, 10), 20), work(15, 0, 5))
  t.same(capWork(work(30, 0, 10), 50), work(30, 0, 10))
})

t.test('common work goes by weight, evenly without one', async t => {
  const spread = spreadWork([NO_WORK, NO_WORK], work(8, 0, 4), [3, 1], 100)
  t.same(spread, { busy: [work(6, 0, 3), work(2, 0, 1)], left: NO_WORK })
  const even = spreadWork([NO_WORK, NO_WORK], work(8, 0, 4), [0, 0], 100)
  t.same(even.busy, [work(4, 0, 2), work(4, 0, 2)])
})

t.test('what one CPU has no room for goes to the others by their room, in its own mix', async t => {
  const { busy, left } = spreadWork(
    [work(0, 0, 16), work(4, 0, 0), NO_WORK],
    NO_WORK,
    [16, 4, 0],
    10,
  )
  t.same(busy, [work(0, 0, 10), work(4, 0, 2.25), work(0, 0, 3.75)])
  t.same(left, NO_WORK)
})

t.test('what no CPU has room for is left, in its mix', async t => {
  const { busy, left } = spreadWork([NO_WORK], work(15, 0, 5), [1], 10)
  t.same(busy, [work(7.5, 0, 2.5)])
  t.same(left, work(7.5, 0, 2.5))
})

t.test('no work is lost and no CPU has more than its room', async () => {
  const usec = fc.nat(100_000)
  const works = fc.tuple(usec, usec, usec).map(parts => work(...parts))
  fc.assert(
    fc.property(
      fc.array(works, { minLength: 1, maxLength: 9 }),
      works,
      fc.nat(200_000),
      (own, common, room) => {
        const { busy, left } = spreadWork(own, common, own.map(workUsec), room)
        const given = [...own, common].reduce(addWork)
        const found = [...busy, left].reduce(addWork)
        const near = (a: number, b: number) => Math.abs(a - b) < 1e-3
        return (
          near(given.userUsec, found.userUsec) &&
          near(given.niceUsec, found.niceUsec) &&
          near(given.systemUsec, found.systemUsec) &&
          busy.every(one => workUsec(one) <= room + 1e-3) &&
          (workUsec(left) < 1e-3 || busy.every(one => near(workUsec(one), room)))
        )
      },
    ),
  )
})
