import t from 'tap'
import { Pace } from '../../../src/service/server/busy-poll.ts'

const OPEN = 29
const READ = 31
const END = 30

t.test('what followed soon is looked for the next time', async t => {
  const pace = new Pace()
  pace.replied(OPEN, 10)
  t.notOk(pace.isSoon(10.01), 'nothing is known yet')
  pace.arrived(10.05)
  pace.replied(OPEN, 20)
  t.ok(pace.isSoon(20.05))
  t.notOk(pace.isSoon(20.2), 'not for long')
})

t.test('what let us wait is slept for', async t => {
  const pace = new Pace()
  pace.replied(READ, 10)
  pace.arrived(10.05)
  pace.replied(READ, 20)
  pace.arrived(1020)
  pace.replied(READ, 1020)
  t.notOk(pace.isSoon(1020.01))
})

t.test('each kind of reply for itself', async t => {
  const pace = new Pace()
  for (let cycle = 0; cycle < 3; cycle++) {
    const nowMs = cycle * 1000
    pace.arrived(nowMs)
    pace.replied(OPEN, nowMs)
    if (cycle > 0) t.ok(pace.isSoon(nowMs + 0.01), 'a reader has opened it')
    pace.arrived(nowMs + 0.05)
    pace.replied(END, nowMs + 0.05)
    t.notOk(pace.isSoon(nowMs + 0.06), 'a reader has read the end')
  }
})
