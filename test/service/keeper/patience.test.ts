import t from 'tap'
import { Patience } from '../../../src/service/keeper/patience.ts'

const MINUTE = 60_000

t.test('what a worker hung on is left alone for longer and longer', async t => {
  let nowMs = 0
  const patience = new Patience(() => nowMs)
  t.notOk(patience.isExhausted('box'))
  for (const pause of [1, 2, 4, 8, 16, 32, 60, 60].map(minutes => minutes * MINUTE)) {
    patience.hung('box')
    nowMs += pause - 1
    t.ok(patience.isExhausted('box'))
    t.notOk(patience.isExhausted('other'))
    nowMs += 1
    t.notOk(patience.isExhausted('box'))
  }
  patience.answered('box')
  patience.hung('box')
  nowMs += MINUTE
  t.notOk(patience.isExhausted('box'), 'an answer wins the patience back')
})

t.test('it remembers so many', async t => {
  const patience = new Patience(() => 0)
  for (let i = 0; i <= 1024; i++) patience.hung(`box ${i}`)
  t.notOk(patience.isExhausted('box 0'))
  t.ok(patience.isExhausted('box 1'))
  t.ok(patience.isExhausted('box 1024'))
})
