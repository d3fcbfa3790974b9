import t from 'tap'
import { busyUsec, NO_TIME, toTicks } from '../../../src/proc/cpu/time.ts'

t.test('ticks are whole and cut, not rounded', async t => {
  t.equal(toTicks(0), 0)
  t.equal(toTicks(9_999), 0)
  t.equal(toTicks(10_000), 1)
  t.equal(toTicks(137_424_000), 13_742)
})

t.test('a sum of thirds makes its whole tick', async t => {
  let usec = 0
  for (let i = 0; i < 3000; i++) usec += 10_000 / 3
  t.equal(toTicks(usec), 1000)
})

t.test('years of many CPUs are plain digits', async t => {
  t.equal(String(toTicks(9e15 * 512)), '460800000000000')
})

t.test('waiting for I/O is not busy, and guest time is in user time', async t => {
  const time = { ...NO_TIME, userUsec: 5, guestUsec: 5, iowaitUsec: 7, idleUsec: 3, irqUsec: 1 }
  t.equal(busyUsec(time), 6)
})
