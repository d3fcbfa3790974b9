import t from 'tap'
import { Handles } from '../../src/filesystem/handles.ts'
import { TestClock } from '../machines/machine.ts'
import { memoryTexts, numbersFrom } from './fake-backend.ts'

const text = (what: string) => () => Buffer.from(what)

/** The text that a read is sliced from. */
const textFor = (
  handles: Handles,
  fh: number,
  nodeid: number,
  offset: number,
  render: () => Buffer,
): Buffer => handles.known(fh, nodeid, offset) ?? handles.begin(fh, nodeid, render())

t.test('a text may hold more than ASCII: reads count bytes', async t => {
  const handles = new Handles(numbersFrom(0), new TestClock(), memoryTexts())
  t.equal(textFor(handles, 1, 35, 0, text('é\n')).length, 3)
})

t.test('texts take bounded memory, however many files are open', async t => {
  const handles = new Handles(numbersFrom(0), new TestClock(), memoryTexts())
  const mib = Buffer.alloc(2 ** 20, 'x')
  let rendered = 0
  const read = (fh: number, offset: number) =>
    textFor(handles, fh, 35, offset, () => {
      rendered++
      return mib
    }).length
  for (let fh = 1; fh <= 40; fh++) read(fh, 0)
  t.equal(rendered, 40)
  read(40, 5)
  t.equal(rendered, 40, 'the newest are kept')
  t.equal(read(1, 5), 2 ** 20)
  t.equal(rendered, 41, 'the oldest is rendered again')
  for (let fh = 1; fh <= 40; fh++) handles.release(fh)
  t.equal(handles.size, 0)
})

t.test('a text that was begun with an earlier server goes on as it was', async t => {
  const saved = memoryTexts()
  const [first, second] = [
    new Handles(numbersFrom(1000), new TestClock(), saved),
    new Handles(numbersFrom(2000), new TestClock(), saved),
  ]
  const [fh, whole] = [first.open(35), first.open(35)]
  first.unfinished(fh, textFor(first, fh, 35, 0, text('old text\n')))
  textFor(first, whole, 35, 0, text('old text\n'))
  t.equal(textFor(second, fh, 35, 4, text('new\n')).toString(), 'old text\n')
  t.equal(textFor(second, whole, 35, 9, text('a longer new text\n')).length, 0, 'it was at its end')
  t.equal(textFor(second, fh, 35, 0, text('new\n')).toString(), 'new\n', 'a new pass is of now')
  second.release(fh)
  t.equal(saved.load(fh), undefined)
})

t.test('a text goes on as it was, whichever servers opened, began and continue it', async t => {
  const saved = memoryTexts()
  const servers = [1, 2, 3].map(
    server => new Handles(numbersFrom(server * 1000), new TestClock(), saved),
  )
  const [first, second, third] = servers as [Handles, Handles, Handles]
  const fh = first.open(35)
  second.unfinished(fh, textFor(second, fh, 35, 0, text('begun\n')))
  t.equal(textFor(third, fh, 35, 2, text('new\n')).toString(), 'begun\n')
})

t.test('the pass that counts is the last one begun', async t => {
  const saved = memoryTexts()
  const [first, second, third] = [1, 2, 3].map(
    server => new Handles(numbersFrom(server * 1000), new TestClock(), saved),
  ) as [Handles, Handles, Handles]
  const fh = first.open(35)
  for (const moment of ['first pass\n', 'second\n']) {
    first.unfinished(fh, textFor(first, fh, 35, 0, text(moment)))
  }
  t.equal(textFor(second, fh, 35, 2, text('new\n')).toString(), 'second\n')
  textFor(second, fh, 35, 0, text('all at once\n'))
  second.finished(fh)
  t.equal(textFor(third, fh, 35, 2, text('new\n')).length, 0, 'it was at its end')
})

t.test('a container that opens files without end costs no other one its texts', async t => {
  const handles = new Handles(numbersFrom(0), new TestClock(), memoryTexts())
  const [victim, hoarder] = [256 + 35, 512 + 35]
  const victims = handles.open(victim)
  t.equal(textFor(handles, victims, victim, 0, text('begun\n')).length, 6)
  const mib = Buffer.alloc(2 ** 20, 'x')
  for (let i = 0; i < 100; i++) textFor(handles, handles.open(hoarder), hoarder, 0, () => mib)
  t.equal(textFor(handles, victims, victim, 2, text('new\n')).toString(), 'begun\n')
  for (let i = 0; i < 20_000; i++) handles.open(hoarder)
  t.ok(handles.size <= 16_385, `${handles.size} are known`)
  t.equal(textFor(handles, victims, victim, 2, text('new\n')).toString(), 'begun\n')
})

t.test('a text that was rendered ahead is given only to a read that comes soon', async t => {
  const clock = new TestClock()
  const handles = new Handles(numbersFrom(0), clock, memoryTexts())
  let moment = 'open'
  const render = () => Buffer.from(moment)
  const read = (fh: number) => textFor(handles, fh, 35, 0, render).toString()
  for (const [afterUsec, expected] of [
    [100, 'open'],
    [101, 'read'],
  ] as const) {
    moment = 'open'
    const fh = handles.open(35)
    handles.preview(fh, 35, render, 100)
    moment = 'read'
    clock.usec += afterUsec
    t.equal(read(fh), expected, `${afterUsec} us later`)
    moment = 'again'
    t.equal(read(fh), 'again', 'the next one at 0 sees its own moment')
  }
})

t.test('a handle that is read for another node is that of the other one', async t => {
  const handles = new Handles(numbersFrom(0), new TestClock(), memoryTexts())
  const [first, second] = [256 + 35, 512 + 35]
  const fh = handles.open(first)
  textFor(handles, fh, first, 0, text('first\n'))
  t.equal(textFor(handles, fh, second, 2, text('second\n')).toString(), 'second\n')
  t.strictSame([handles.isOpen(1), handles.isOpen(2), handles.size], [false, true, 1])
  handles.release(fh)
  t.notOk(handles.isOpen(2))
})

t.test('a text that was read whole leaves nothing to be removed', async t => {
  const removed: number[] = []
  const texts = { ...memoryTexts(), remove: (fh: number) => void removed.push(fh) }
  const handles = new Handles(numbersFrom(0), new TestClock(), texts)
  const [whole, begun] = [handles.open(35), handles.open(35)]
  textFor(handles, whole, 35, 0, text('whole\n'))
  handles.finished(whole)
  handles.release(whole)
  t.strictSame(removed, [])
  handles.unfinished(begun, textFor(handles, begun, 35, 0, text('begun\n')))
  handles.release(begun)
  t.strictSame(removed, [begun])
})
