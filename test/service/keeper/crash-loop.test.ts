import t from 'tap'
import { CrashLoop, type Failing } from '../../../src/service/keeper/crash-loop.ts'

function fail(
  loop: CrashLoop,
  times: number,
  {
    fromMs = 0,
    everyMs = 100,
    how = 'ended',
  }: { fromMs?: number; everyMs?: number; how?: Failing } = {},
) {
  for (let i = 0; i < times; i++) loop.add(fromMs + i * everyMs, how)
}

t.test('five failures within ten seconds are a crash loop', async t => {
  const loop = new CrashLoop()
  t.equal(loop.isHopeless, false)
  fail(loop, 4)
  t.equal(loop.isHopeless, false)
  fail(loop, 1, { fromMs: 9999 })
  t.equal(loop.isHopeless, true)
})

t.test('failures that lie further apart are none', async t => {
  const loop = new CrashLoop()
  fail(loop, 20, { everyMs: 2500 })
  t.equal(loop.isHopeless, false)
})

t.test('an answer makes up for what was before', async t => {
  const loop = new CrashLoop()
  fail(loop, 4)
  loop.clear()
  fail(loop, 4, { fromMs: 500 })
  t.equal(loop.isHopeless, false)
})

t.test('a server that was killed counts a tenth', async t => {
  const loop = new CrashLoop()
  fail(loop, 49, { how: 'killed' })
  t.equal(loop.isHopeless, false)
  fail(loop, 1, { fromMs: 5000, how: 'killed' })
  t.equal(loop.isHopeless, true, 'fifty of them are a crash loop too')
})

/** Each server hangs before its first answer. Returns after how many the loop is hopeless, at most after ten. */
function hangs(waitedMs: (i: number) => number, idleMs = 0): number {
  const loop = new CrashLoop()
  let nowMs = 0
  for (let i = 1; i <= 10; i++) {
    nowMs += idleMs + waitedMs(i)
    loop.add(nowMs, 'hung', waitedMs(i))
    if (loop.isHopeless) return i
  }
  return Number.POSITIVE_INFINITY
}

t.test('a hang is a whole failure, also when it is known only after minutes', async t => {
  const known = [15_400, 30_400, 60_400]
  const knownMs = (i: number) => known[i - 1] ?? 60_400
  t.equal(hangs(knownMs), 5)
  for (const times of [2, 4, 50]) {
    const slowly = (i: number) => times * knownMs(i)
    t.equal(hangs(slowly), 5, 'with too little CPU time')
  }
})

t.test('hangs that lie further apart are none: now and then a machine is busy', async t => {
  const soon = () => 1200
  const late = () => 15_400
  t.equal(hangs(soon), 5)
  t.equal(hangs(soon, 60_000), Number.POSITIVE_INFINITY)
  t.equal(hangs(late, 45_000), Number.POSITIVE_INFINITY)
})

t.test('the pause grows from failure to failure, and not for ever', async t => {
  const loop = new CrashLoop()
  t.equal(loop.pauseMs, 0)
  const pauses = Array.from({ length: 9 }, (_, i) => {
    fail(loop, 1, { fromMs: i, how: 'killed' })
    return loop.pauseMs
  })
  t.strictSame(pauses, [0, 10, 20, 40, 80, 160, 320, 320, 320])
  loop.clear()
  t.equal(loop.pauseMs, 0)
})
