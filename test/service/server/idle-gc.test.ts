import t from 'tap'
import { IdleGc } from '../../../src/service/server/idle-gc.ts'

t.test('after many requests and a second of quiet', async t => {
  let collections = 0
  const gc = new IdleGc(() => collections++)
  t.equal(gc.limit(-1, 0), -1, 'nothing has been done')
  for (let i = 0; i < 2500; i++) gc.served(2, 1000)
  t.equal(gc.limit(-1, 1000), 1000)
  t.equal(gc.limit(300, 1400.5), 300, 'others want to be woken earlier')
  t.equal(gc.limit(-1, 1400.5), 600)
  t.equal(collections, 0)
  t.equal(gc.limit(-1, 2000), -1)
  t.equal(collections, 1)
  t.equal(gc.limit(-1, 9000), -1, 'once')
  t.equal(collections, 1)
})

t.test('a reader now and then is left alone', async t => {
  const gc = new IdleGc(() => t.fail('nothing is worth it'))
  for (let second = 0; second < 100; second++) {
    gc.served(1, second * 1000)
    t.equal(gc.limit(-1, second * 1000 + 1), -1)
  }
})

t.test('nor are readers at a pace, however long it lasts', async t => {
  const gc = new IdleGc(() => t.fail('nothing is worth it'))
  for (let ms = 0; ms < 60_000; ms += 10) {
    gc.served(4, ms)
    t.equal(gc.limit(-1, ms), -1, 'no timer is set')
  }
  t.equal(gc.limit(-1, 62_000), -1)
})
