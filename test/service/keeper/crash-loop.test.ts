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

t.test('a hang is a whole failure, also when it is known only after a minute', async t => {
  const loop = new CrashLoop()
  for (const [i, fromMs] of [15_400, 45_800, 106_200, 166_600, 227_000].entries()) {
    t.equal(loop.isHopeless, false, `not after ${i}`)
    fail(loop, 1, { fromMs, how: 'hung' })
  }
  t.equal(loop.isHopeless, true)
  loop.clear()
  fail(loop, 20, { everyMs: 60_400, how: 'hung' })
  t.equal(loop.isHopeless, false, 'now and then a machine is busy')
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
