import t from 'tap'
import { Bell } from '../../../src/service/keeper/bell.ts'

t.test('a bell that rings while nobody waits is heard later', async t => {
  const bell = new Bell()
  bell.ring()
  t.equal(await bell.rung, 'rung')
})

t.test('after a reset it is heard when it rings again', async t => {
  const bell = new Bell()
  bell.ring()
  bell.reset()
  const next = Promise.race([bell.rung, Promise.resolve('not yet')])
  t.equal(await next, 'not yet')
  bell.ring()
  bell.ring()
  t.equal(await bell.rung, 'rung')
})
