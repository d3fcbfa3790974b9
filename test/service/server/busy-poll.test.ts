import t from 'tap'
import { BusyPoll } from '../../../src/service/server/busy-poll.ts'

const OPEN = 29
const READ = 31
const END = 30

t.test('what followed soon is looked for the next time', async t => {
  const poll = new BusyPoll()
  poll.replied(OPEN, 10)
  t.notOk(poll.looksAgain(10.01), 'nothing is known yet')
  poll.arrived(10.05)
  poll.replied(OPEN, 20)
  t.ok(poll.looksAgain(20.05))
  t.notOk(poll.looksAgain(20.2), 'not for long')
})

t.test('what let us wait is slept for', async t => {
  const poll = new BusyPoll()
  poll.replied(READ, 10)
  poll.arrived(10.05)
  poll.replied(READ, 20)
  poll.arrived(1020)
  poll.replied(READ, 1020)
  t.notOk(poll.looksAgain(1020.01))
})

t.test('each kind of reply for itself', async t => {
  const poll = new BusyPoll()
  for (let cycle = 0; cycle < 3; cycle++) {
    const nowMs = cycle * 1000
    poll.arrived(nowMs)
    poll.replied(OPEN, nowMs)
    if (cycle > 0) t.ok(poll.looksAgain(nowMs + 0.01), 'a reader has opened it')
    poll.arrived(nowMs + 0.05)
    poll.replied(END, nowMs + 0.05)
    t.notOk(poll.looksAgain(nowMs + 0.06), 'a reader has read the end')
  }
})
