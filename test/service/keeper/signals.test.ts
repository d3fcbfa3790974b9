import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Signals } from '../../../src/service/keeper/signals.ts'

const NEVER = new Promise<never>(() => {})

/** Sends a signal to this process, and returns when its handlers have run. */
async function send(signal: 'SIGHUP' | 'SIGTERM' | 'SIGINT'): Promise<void> {
  const arrived = once(process, signal)
  process.kill(process.pid, signal)
  // A signal that is on its way keeps no process alive; a timer does.
  const timer = setTimeout(() => {}, 10_000)
  await arrived
  clearTimeout(timer)
}

t.test('signals that come while nobody waits are kept, in their order', async t => {
  const signals = new Signals()
  t.teardown(() => signals.release())
  await send('SIGHUP')
  await send('SIGTERM')
  t.equal(await signals.or(NEVER), 'SIGHUP')
  t.equal(await signals.or(NEVER), 'SIGTERM')
})

t.test('a signal wakes up who waits', async t => {
  const signals = new Signals()
  t.teardown(() => signals.release())
  const next = signals.or(NEVER)
  await send('SIGINT')
  t.equal(await next, 'SIGINT')
})

t.test('what else happens ends the waiting, and takes no signal with it', async t => {
  const signals = new Signals()
  t.teardown(() => signals.release())
  t.equal(await signals.or(Promise.resolve('ended')), 'ended')
  await send('SIGHUP')
  t.equal(await signals.or(sleep(1000, 'late', { ref: false })), 'SIGHUP')
})

t.test('who is released is not told any more', async t => {
  const before = process.listenerCount('SIGTERM')
  const signals = new Signals()
  t.equal(process.listenerCount('SIGTERM'), before + 1)
  signals.release()
  t.equal(process.listenerCount('SIGTERM'), before)
})
