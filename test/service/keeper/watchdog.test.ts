import t, { type Test } from 'tap'
import { Watchdog, type Watched } from '../../../src/service/keeper/watchdog.ts'

/** A connection of which the test says what it holds, and when our own request is answered. */
class FakeConnection implements Watched {
  /** How often the mount was looked at. */
  lookedAt = 0
  asked = 0
  isMounted = true
  waiting: number | undefined = 0
  isArmed = false
  isClosed = false
  counted = 0
  /** Called to answer the request that `ask` has sent. */
  answer: (() => void) | undefined
  /** What comes between arming and the look after it. */
  whileArming = () => {}

  get isWhole(): boolean {
    this.lookedAt++
    return this.isMounted
  }

  countWaiting(): number | undefined {
    this.counted++
    return this.waiting
  }

  ask(): Promise<unknown> {
    this.asked++
    return new Promise<void>(resolve => {
      this.answer = resolve
    })
  }

  arm(): void {
    this.isArmed = true
    this.whileArming()
  }

  disarm(): void {
    this.isArmed = false
  }

  close(): void {
    this.isClosed = true
  }
}

const STEP_MS = 100

/**
 * Takes the clock and the intervals away from the system until the test ends. Returns what lets time pass. The mock
 * timers of node:test call an interval again that was cleared while it was called.
 */
function fakeTime(t: Test): (milliseconds: number) => void {
  let nowMs = 1000
  const intervals = new Set<{ action: () => void; everyMs: number; dueMs: number }>()
  t.intercept(performance, 'now', { value: () => nowMs })
  t.intercept(globalThis, 'setInterval', {
    value: (action: () => void, everyMs: number) => {
      const interval = { action, everyMs, dueMs: nowMs + everyMs }
      intervals.add(interval)
      return interval
    },
  })
  t.intercept(globalThis, 'clearInterval', {
    value: (interval: never) => intervals.delete(interval),
  })
  return milliseconds => {
    const endMs = nowMs + milliseconds
    while (nowMs < endMs) {
      nowMs += STEP_MS
      for (const interval of intervals) {
        if (interval.dueMs > nowMs) continue
        interval.dueMs += interval.everyMs
        interval.action()
      }
    }
  }
}

function watch(t: Test) {
  const pass = fakeTime(t)
  const connection = new FakeConnection()
  const seen = { hung: 0, lost: 0, looks: 0, waitedMs: 0 }
  const server = { answered: 0, patienceMs: 1150 }
  const watchdog = new Watchdog(connection, {
    get answered() {
      return server.answered
    },
    look: () => {
      seen.looks++
      return { pid: 1, answered: server.answered, cpuMs: 0, wantsCpu: () => false }
    },
    patienceMs: () => server.patienceMs,
    hung: waitedMs => {
      seen.hung++
      seen.waitedMs = waitedMs
    },
    lost: () => void seen.lost++,
  })
  watchdog.start()
  return { connection, watchdog, server, seen, pass }
}

t.test('a server that answers is left alone', async t => {
  const { connection, seen, pass } = watch(t)
  connection.waiting = 3
  for (let i = 0; i < 20; i++) {
    pass(400)
    t.type(connection.answer, 'function', 'it is asked')
    connection.answer?.()
    await Promise.resolve()
  }
  t.equal(seen.hung, 0)
})

t.test('a server that does not answer is noticed within two seconds', async t => {
  const { connection, seen, pass } = watch(t)
  connection.waiting = 1
  pass(1200)
  t.equal(seen.hung, 0, 'not sooner')
  pass(800)
  t.equal(seen.hung, 1)
  pass(1600)
  t.equal(seen.waitedMs, 1200, 'a request has waited for as long as this')
  t.equal(seen.hung, 2, 'and again, when the next one does not answer')
})

t.test('a server that may be silent for longer is given that, and no more', async t => {
  const { connection, server, seen, pass } = watch(t)
  connection.waiting = 1
  server.patienceMs = 15_000
  pass(15_200)
  t.equal(seen.hung, 0)
  pass(400)
  t.equal(seen.hung, 1)
})

t.test(
  'a server that answers others is left alone, however long our own request waits',
  async t => {
    const { connection, server, seen, pass } = watch(t)
    connection.waiting = 1000
    for (let i = 0; i < 100; i++) {
      pass(800)
      server.answered += 16
    }
    t.equal(seen.hung, 0)
    pass(2000)
    t.equal(seen.hung, 1, 'until it answers nobody any more')
  },
)

t.test('a server that counts its answers is not asked while it gives some', async t => {
  const { connection, server, seen, pass } = watch(t)
  for (let i = 0; i < 100; i++) {
    server.answered += 16
    pass(400)
  }
  t.equal(seen.looks, 0, 'and not looked at where no request waits')
  t.ok(connection.lookedAt <= 21, 'and the mount now and then')
  connection.waiting = 1
  for (let i = 0; i < 100; i++) {
    server.answered += 16
    pass(400)
  }
  t.equal(connection.asked, 0)
  t.equal(seen.hung, 0)
  t.equal(connection.isArmed, false, 'the watchdog stays awake')
})

t.test('a server that ceases to answer is noticed as soon as one that never did', async t => {
  for (const waitsAfterMs of [0, 100, 300]) {
    const { connection, server, seen, pass } = watch(t)
    pass(waitsAfterMs)
    server.answered += 1
    connection.waiting = 1
    pass(1600)
    t.equal(seen.hung, 1)
    t.equal(connection.asked, 1, 'and only after it was asked')
  }
})

t.test('a mount that is taken away while requests are answered is told of within 2 s', async t => {
  const { connection, server, seen, pass } = watch(t)
  for (let i = 0; i < 20; i++) {
    server.answered += 1
    pass(400)
  }
  connection.isMounted = false
  for (let i = 0; i < 5; i++) {
    server.answered += 1
    pass(400)
  }
  t.ok(seen.lost > 0)
  const { lost } = seen
  server.answered += 1
  pass(400)
  t.equal(seen.lost, lost + 1, 'and at each look from then on')
})

t.test('where no request waits the server is not silent', async t => {
  const { connection, seen, pass } = watch(t)
  connection.waiting = 1
  pass(400)
  t.type(connection.answer, 'function', 'it is asked')
  connection.waiting = 0
  pass(60_000)
  t.equal(seen.hung, 0, 'its answer has not arrived yet')
  connection.waiting = 1
  pass(2000)
  t.equal(seen.hung, 1)
})

t.test('it asks also where the kernel does not count requests', async t => {
  const { connection, seen, pass } = watch(t)
  connection.waiting = undefined
  pass(2000)
  t.equal(seen.hung, 1)
})

t.test('while nothing is asked it sleeps, until a request wakes it up', async t => {
  const { connection, watchdog, seen, pass } = watch(t)
  pass(400 * 6)
  t.equal(connection.isArmed, true)
  const { counted } = connection
  pass(60_000)
  t.equal(connection.counted, counted, 'it does nothing')
  connection.waiting = 1
  watchdog.start()
  pass(2000)
  t.equal(seen.hung, 1)
})

t.test('a request that comes while it falls asleep keeps it awake', async t => {
  const { connection, seen, pass } = watch(t)
  connection.whileArming = () => {
    connection.waiting = 1
  }
  pass(400 * 6)
  t.equal(connection.isArmed, false)
  pass(2000)
  t.equal(seen.hung, 1)
})

t.test('a quiet look in between does not put it to sleep', async t => {
  const { connection, pass } = watch(t)
  for (let i = 0; i < 4; i++) {
    connection.waiting = 0
    pass(400 * 5)
    connection.waiting = 1
    pass(400)
    connection.answer?.()
    await Promise.resolve()
  }
  t.equal(connection.isArmed, false)
})

t.test('a mount that was taken away is told of, also when nothing is asked', async t => {
  const { connection, watchdog, seen, pass } = watch(t)
  pass(400 * 6)
  t.equal(connection.isArmed, true)
  connection.isMounted = false
  watchdog.start()
  pass(400 * 10)
  t.equal(seen.lost, 10, 'at each look, until it is back')
  t.equal(seen.hung, 0)
  connection.isMounted = true
  pass(400 * 10)
  t.equal(seen.lost, 10)
})

t.test('once closed it looks no more', async t => {
  const { connection, watchdog, seen, pass } = watch(t)
  connection.waiting = 1
  watchdog.close()
  pass(10_000)
  t.equal(seen.hung, 0)
  t.equal(connection.isClosed, true)
})

t.test('a connection is asked at the beginning, and not slept on before the answer', async t => {
  const { connection, watchdog, pass } = watch(t)
  watchdog.begin()
  t.equal(connection.asked, 1)
  pass(10_000)
  t.notOk(connection.isArmed)
  connection.answer?.()
  await Promise.resolve()
  pass(10_000)
  t.ok(connection.isArmed)
})
