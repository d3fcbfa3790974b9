import t from 'tap'
import { BusyPoll } from '../../../src/service/server/busy-poll.ts'

const READER = 1234
/** The release of a closed file, which names no thread. */
const KERNEL = 0

/** Lets a reader open, read and close a file so many times, each request 50 us after the reply before. */
function read(poll: BusyPoll, startMs: number, times: number, pid = READER): number {
  let nowMs = startMs
  for (let time = 0; time < times; time++) {
    for (const sender of [pid, pid, pid, KERNEL]) {
      nowMs += 0.05
      poll.answered(sender, nowMs)
    }
  }
  return nowMs
}

t.test('a reader in a loop is looked for, and not for long', async t => {
  const poll = new BusyPoll()
  const nowMs = read(poll, 1000, 50)
  t.ok(poll.isInLoop(READER))
  t.ok(poll.looksAgain(nowMs + 0.05))
  t.notOk(poll.looksAgain(nowMs + 0.15))
})

t.test('who reads many files and then pauses is slept for', async t => {
  const poll = new BusyPoll()
  for (let second = 1; second < 100; second++) {
    const nowMs = read(poll, second * 1000, 20)
    t.notOk(poll.looksAgain(nowMs + 0.01))
  }
  t.notOk(poll.isInLoop(READER))
})

t.test('at 1000 reads a second nobody is in a loop', async t => {
  const poll = new BusyPoll()
  for (let ms = 1; ms < 2000; ms++) t.notOk(poll.looksAgain(read(poll, ms, 1) + 0.01))
})

t.test('a loop that has ended is not one when its reader comes again', async t => {
  const poll = new BusyPoll()
  const nowMs = read(poll, 1000, 100)
  poll.answered(READER, nowMs + 1000)
  t.notOk(poll.isInLoop(READER))
  t.notOk(poll.looksAgain(nowMs + 1000))
})

t.test('a loop goes on after its reader was kept from running for a moment', async t => {
  const poll = new BusyPoll()
  let nowMs = read(poll, 1000, 100)
  for (let time = 0; time < 20; time++) {
    nowMs = read(poll, nowMs + 4, 30)
    t.ok(poll.isInLoop(READER))
  }
})

t.test('each reader for itself', async t => {
  const poll = new BusyPoll()
  let nowMs = 1000
  for (let time = 0; time < 100; time++) {
    nowMs = read(poll, nowMs, 1)
    if (time % 50 === 0) poll.answered(READER + 1, nowMs)
  }
  t.ok(poll.isInLoop(READER), 'in spite of another one that comes now and then')
  t.notOk(poll.isInLoop(READER + 1))
  for (let pid = 1; pid < 1000; pid++) nowMs = read(poll, nowMs, 1, pid)
  t.notOk(poll.looksAgain(nowMs + 0.01), 'many that read once each are in no loop')
})
