import t from 'tap'
import { Handles } from '../../src/server/handles.ts'
import { TestClock } from '../machine.ts'

t.test('handles of two servers do not meet, and stay exact', async t => {
  const now = Date.UTC(2100, 0)
  const [first, second] = [new Handles(now, new TestClock()), new Handles(now + 1, new TestClock())]
  const opened = Array.from({ length: 1000 }, () => first.open(35))
  t.ok(Math.max(...opened) < second.open(35))
  t.ok(Number.isSafeInteger(second.open(35)))
})

t.test('a text may hold more than ASCII: reads count bytes', async t => {
  const handles = new Handles(0, new TestClock())
  t.equal(handles.text(1, 35, 0, () => 'é\n').length, 3)
})
