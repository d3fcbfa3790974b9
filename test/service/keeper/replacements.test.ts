import t from 'tap'
import { Replacements } from '../../../src/service/keeper/replacements.ts'

t.test('a server that has just been started gets 15 s for its first answer', async t => {
  const replacements = new Replacements()
  t.equal(replacements.patienceMs(0, false, 0), 15_000)
  t.equal(replacements.patienceMs(10_000, false, 0), 5000)
  t.equal(replacements.patienceMs(3_600_000, false, 0), 1150, 'nobody has asked it for an hour')
  t.equal(replacements.patienceMs(0, true, 0), 1150)
})

t.test('each replacement doubles what the next one gets, up to four times', async t => {
  const replacements = new Replacements()
  for (const times of [2, 4, 4]) {
    replacements.add(1000, true)
    t.equal(replacements.patienceMs(1000, true, 0), times * 1150)
    t.equal(replacements.patienceMs(1000, false, 1000), times * 15_000)
  }
})

t.test('a minute without one makes up for those before, where the server has answered', async t => {
  const replacements = new Replacements()
  replacements.add(1000, true)
  replacements.add(2000, true)
  t.equal(replacements.patienceMs(61_999, true, 0), 4 * 1150)
  t.equal(replacements.patienceMs(62_000, true, 0), 1150)
  t.equal(
    replacements.patienceMs(62_000, false, 62_000),
    4 * 15_000,
    'without an answer it is none',
  )
  t.equal(replacements.patienceMs(602_000, false, 602_000), 15_000, 'but ten are')
  replacements.add(62_000, true)
  t.equal(replacements.patienceMs(62_000, true, 0), 2 * 1150)
})

t.test('servers that never answer get more and more', async t => {
  const replacements = new Replacements()
  let nowMs = 0
  for (const patienceMs of [15_000, 30_000, 60_000, 60_000]) {
    t.equal(replacements.patienceMs(nowMs, false, nowMs), patienceMs)
    nowMs += patienceMs
    replacements.add(nowMs, false)
  }
})
