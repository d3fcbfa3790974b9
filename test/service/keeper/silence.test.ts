import t from 'tap'
import { type Look, Silence } from '../../../src/service/keeper/silence.ts'

const PERIOD_MS = 400

interface Server {
  pid?: number
  /** In each period. */
  answers?: number
  cpuMs?: number
  wantsCpu?: boolean
}

/** A silence that has just begun. `after` says how long it is when the server has been like this for so many periods. */
function begun() {
  const silence = new Silence()
  let nowMs = 5000
  let look: Look = { pid: 1, answered: 7, cpuMs: 90, wantsCpu: () => false }
  silence.begin(nowMs, look)
  return (
    periods: number,
    { pid = 1, answers = 0, cpuMs = 0, wantsCpu = false }: Server,
    periodMs = PERIOD_MS,
  ) => {
    let silentMs = 0
    for (let i = 0; i < periods; i++) {
      nowMs += periodMs
      look = {
        pid,
        answered: look.answered + answers,
        cpuMs: look.cpuMs + cpuMs,
        wantsCpu: () => wantsCpu,
      }
      silentMs = silence.add(nowMs, look)
    }
    return silentMs
  }
}

t.test('a server that sleeps or is stopped is silent all the time', async t => {
  const after = begun()
  t.equal(after(3, {}), 1200)
  t.equal(after(3, {}), 2400)
})

t.test('a server in an endless loop is, too', async t => {
  t.equal(begun()(3, { cpuMs: 400, wantsCpu: true }), 1200)
  t.equal(begun()(3, { cpuMs: 810, wantsCpu: true }), 1200, 'with two threads')
  t.equal(begun()(3, { cpuMs: 200, wantsCpu: true }), 1200, 'also beside another process')
})

t.test('any answer ends the silence', async t => {
  const after = begun()
  t.equal(after(100, { answers: 1 }), 0)
  t.equal(after(2, {}), 800)
  t.equal(after(1, { answers: 3 }), 0)
  t.equal(after(2, {}), 800, 'and it begins anew')
})

t.test('another server begins anew', async t => {
  const after = begun()
  after(2, {})
  t.equal(after(1, { pid: 2 }), 0)
  t.equal(after(1, { pid: 2 }), 400)
})

t.test('while a server waits for a CPU only what it gets counts', async t => {
  t.equal(begun()(50, { cpuMs: 8, wantsCpu: true }), 800, 'twice 2 % of 20 s')
  t.equal(begun()(50, { cpuMs: 0, wantsCpu: true }), 400, 'and in the end the waiting does')
})

t.test('a keeper that was stopped itself counts two periods', async t => {
  t.equal(begun()(1, {}, 60_000), 800)
})

t.test('one that has ended, or not begun, begins with the next look', async t => {
  const silence = new Silence()
  const look = { pid: 1, answered: 7, cpuMs: 0, wantsCpu: () => false }
  t.equal(silence.add(1000, look), 0)
  t.equal(silence.add(1400, look), 400)
  t.equal(silence.lengthMs(1500), 500, 'by the clock')
  silence.end()
  t.equal(silence.add(5000, look), 0)
  t.equal(silence.add(5400, look), 400)
})
