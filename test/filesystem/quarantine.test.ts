import t from 'tap'
import { fileKey, QUARANTINE_CELLS, Quarantine } from '../../src/filesystem/quarantine.ts'
import { Renderer } from '../../src/filesystem/renderer.ts'
import { findPlace, slotOf } from '../../src/filesystem/tree.ts'
import { FILES, type ProcFile } from '../../src/proc/files.ts'
import type { View } from '../../src/proc/view.ts'
import { machine, TestClock } from '../machines/machine.ts'

const KEY = fileKey(2 ** 44, FILES[0] as ProcFile)

/** What a server leaves that ended a second after it had begun to render. */
function left(clock: TestClock, keys: readonly number[] = [KEY]): Float64Array {
  const cells = new Float64Array(QUARANTINE_CELLS)
  for (const key of keys) {
    const quarantine = new Quarantine(cells, clock)
    quarantine.begin(key)
    clock.advance(1)
    if (key !== keys.at(-1)) quarantine.blame(clock.usec)
  }
  return cells
}

t.test('a key says which file of which view', async t => {
  for (const file of FILES) {
    const key = fileKey(2 ** 44, file)
    t.equal(findPlace(key)?.path, file.path)
    t.equal(slotOf(key), 2 ** 44)
    t.ok(Number.isSafeInteger(fileKey(2 ** 44 + 2 ** 32, file)))
  }
})

t.test('what a server failed at is left alone for five minutes', async t => {
  const clock = new TestClock()
  const cells = left(clock)
  const next = new Quarantine(cells, clock)
  t.equal(next.blame(clock.usec), KEY)
  t.ok(next.has(KEY))
  t.notOk(next.begin(KEY))
  t.notOk(next.has(KEY + 1))
  t.ok(next.begin(KEY + 1))
  next.end()
  t.equal(new Quarantine(cells, clock).blame(clock.usec), undefined, 'it is blamed once')
  t.ok(new Quarantine(cells, clock).has(KEY), 'also in the server after that')
  clock.advance(299)
  t.ok(next.has(KEY))
  clock.advance(1)
  t.notOk(next.has(KEY))
  t.notOk(new Quarantine(cells, clock).has(KEY))
})

t.test('who was killed from outside, or was between two texts, failed at nothing', async t => {
  const clock = new TestClock()
  t.equal(new Quarantine(left(clock), clock).blame(undefined), undefined)
  const cells = left(clock)
  t.equal(new Quarantine(cells, clock).blame(clock.usec - 2e6), undefined, 'it had just begun')
  t.notOk(new Quarantine(cells, clock).has(KEY))
  const done = new Quarantine(new Float64Array(QUARANTINE_CELLS), clock)
  done.begin(KEY)
  done.end()
  t.equal(done.blame(clock.usec), undefined)
})

t.test('the one that was blamed first is tried again when there are too many', async t => {
  const clock = new TestClock()
  const keys = Array.from({ length: 66 }, (_, i) => KEY + 256 * i)
  const next = new Quarantine(left(clock, keys), clock)
  t.equal(next.blame(clock.usec), keys.at(-1))
  t.strictSame(
    keys.map(key => next.has(key)),
    keys.map((_, i) => i >= 2),
  )
})

t.test('a damaged file blames nothing', async t => {
  const clock = new TestClock()
  const cells = new Float64Array(QUARANTINE_CELLS).fill(Number.NaN)
  const quarantine = new Quarantine(cells, clock)
  t.equal(quarantine.blame(clock.usec), undefined)
  t.notOk(quarantine.has(Number.NaN))
})

t.test('what was blamed before the machine was started again is tried', async t => {
  const before = new TestClock()
  const cells = left(before)
  new Quarantine(cells, before).blame(before.usec)
  const clock = new TestClock(1)
  const next = new Quarantine(cells, clock)
  t.notOk(next.has(KEY))
  t.ok(next.begin(KEY))
})

t.test("a text that is refused is the host's, and each rendering is told", async t => {
  const told: string[] = []
  const host = machine(t, { 'proc/meminfo': 'the host\n' })
  const renderer = new Renderer(host, { error: () => {} }, () => {}, {
    begin: (_, view) => view !== poison && told.push('begin') > 0,
    end: () => told.push('end'),
  })
  const file = {
    path: 'proc/meminfo',
    mode: 0o444,
    render: () => told.push('own').toString(),
  } as const
  const [poison, view] = [{} as View, {} as View]
  t.equal(renderer.render(file, poison).toString(), 'the host\n')
  t.strictSame(told, [])
  renderer.render(file, view)
  t.strictSame(told, ['begin', 'own', 'end'])
  const broken: ProcFile = { ...file, render: () => JSON.parse('no') }
  renderer.render(broken, view)
  t.strictSame(told.slice(3), ['begin', 'end'])
})

t.test('it is empty until something is blamed', async t => {
  const cells = new Float64Array(QUARANTINE_CELLS)
  const clock = { monotonicUsec: () => 1000 }
  const before = new Quarantine(cells, clock)
  t.ok(before.isEmpty)
  before.begin(7)
  const after = new Quarantine(cells, clock)
  t.equal(after.blame(1000), 7)
  t.notOk(after.isEmpty)
  t.notOk(new Quarantine(cells, clock).isEmpty, 'for the next server, too')
})
