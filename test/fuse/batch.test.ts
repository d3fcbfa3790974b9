import t from 'tap'
import { Batch } from '../../src/fuse/batch.ts'
import type { Verdict } from '../../src/fuse/errno.ts'
import { Journal } from '../../src/fuse/journal.ts'
import { ScriptedDevice } from './scripted.ts'

/** How many were taken each time, and the first byte of each. */
function takes(script: (Uint8Array | Verdict)[], times: number): (Verdict | number[])[] {
  const journal = Journal.ofThisProcess()
  const batch = new Batch(new ScriptedDevice(...script), journal)
  return Array.from({ length: times }, () => {
    const taken = batch.take()
    if (typeof taken === 'string') return taken
    const requests = Array.from({ length: taken }, (_, i) => batch.at(i))
    const bytes = requests.map(({ buffer }) => buffer[0] ?? 0)
    for (const request of requests) journal.release(request)
    return bytes
  })
}

const requests = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => Buffer.from([first + i]))

t.test('a reader alone is answered at once', async t => {
  const script = requests(1, 3).flatMap(request => [request, 'retry' as const])
  t.strictSame(takes(script, 6), [[1], 'retry', [2], 'retry', [3], 'retry'])
})

t.test('requests that came together are taken together, in their order', async t => {
  const script = [...requests(1, 5), 'retry' as const, ...requests(6, 7)]
  t.strictSame(takes(script, 4), [[1], [2, 3, 4, 5], [6], [7]])
})

t.test('no more than a reader can wait for', async t => {
  const [first, second, third] = takes(requests(1, 30), 3)
  t.strictSame(first, [1])
  t.strictSame(
    second,
    Array.from({ length: 16 }, (_, i) => 2 + i),
  )
  t.strictSame(
    third,
    Array.from({ length: 13 }, (_, i) => 18 + i),
    'then the connection ended',
  )
})

t.test('the end of the connection', async t => {
  t.strictSame(takes([...requests(1, 2)], 4), [[1], [2], 'gone', 'gone'])
})
