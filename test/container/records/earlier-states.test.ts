import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EarlierStates } from '../../../src/container/records/earlier-states.ts'

t.test('what an earlier version has written down is used once', async t => {
  const run = t.testdir({
    state: { '5.json': '{"id":"a"}', '6.json': '{"id":', '7.json': '{}', '.12.new': '', x: '' },
  })
  const states = new EarlierStates(run, slot => slot !== 7)
  t.strictSame(readdirSync(join(run, 'state')), ['5.json', '6.json'])
  const taken: unknown[] = []
  const take = (slot: number) => states.take(slot, fields => taken.push(fields))
  for (const slot of [5, 5, 7, 6, 8]) take(slot)
  t.strictSame(taken, [{ id: 'a' }])
  t.notOk(existsSync(join(run, 'state')))

  mkdirSync(join(run, 'state'))
  writeFileSync(join(run, 'state/5.json'), '{"id":"later"}')
  take(5)
  t.equal(taken.length, 1, 'the next server looks again')
  new EarlierStates(run, () => true).take(5, fields => taken.push(fields))
  t.strictSame(taken[1], { id: 'later' })
})

t.test('there may be nothing, or anything', async t => {
  const run = t.testdir({ state: { '5.json': { a: '' } } })
  new EarlierStates(join(run, 'nowhere'), () => true).take(5, () => t.fail())
  new EarlierStates(run, () => true).take(5, () => t.fail())
  t.notOk(existsSync(join(run, 'state')))
})
