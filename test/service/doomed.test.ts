import { mkdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Host } from '../../src/host/host.ts'
import { isProcessDoomed, untilGone } from '../../src/service/doomed.ts'

const CLOCK = { monotonicUsec: () => 0, boottimeUsec: () => 0 }

/** PF_EXITING and SIGKILL, in the fields for flags and pending signals. */
const RUNNING = stat('D', 0x400100, 0)
const KILLED = stat('D', 0x400100, 0x100)
const EXITING = stat('D', 0x400104, 0)
const ZOMBIE = stat('Z', 0x40000c, 0)

function stat(state: string, flags: number, pending: number): string {
  const zeros = (count: number) => Array(count).fill('0').join(' ')
  return `7 (procveil) 4) ${state} ${zeros(5)} ${flags} ${zeros(21)} ${pending} ${zeros(21)}\n`
}

/** A process 7 with these threads. */
function process(t: Test, ...threads: string[]): Host {
  const root = t.testdir()
  for (const [i, text] of threads.entries()) {
    mkdirSync(`${root}/proc/7/task/${7 + i}`, { recursive: true })
    writeFileSync(`${root}/proc/7/task/${7 + i}/stat`, text)
  }
  return new Host(root, CLOCK)
}

t.test('a process is doomed when each of its threads is', async t => {
  t.equal(isProcessDoomed(process(t, KILLED, EXITING, ZOMBIE), 7), true)
  t.equal(isProcessDoomed(process(t, KILLED, RUNNING), 7), false)
  t.equal(isProcessDoomed(process(t, RUNNING), 7), false)
  t.equal(isProcessDoomed(process(t), 7), true, 'one that is not there')
})

t.test('another signal that is pending dooms nobody', async t => {
  t.equal(isProcessDoomed(process(t, stat('D', 0, 0x4000)), 7), false)
})

t.test('a killed process that goes is waited for, and one that does not is left', async t => {
  let looks = 0
  t.equal(await untilGone(process(t, KILLED), 7, () => ++looks > 3), true)
  const startMs = performance.now()
  t.equal(await untilGone(process(t, KILLED), 7, () => false), false)
  t.ok(performance.now() - startMs >= 200)
  t.ok(performance.now() - startMs < 2000)
  const exitingMs = performance.now()
  t.equal(await untilGone(process(t, EXITING, ZOMBIE), 7, () => false), false)
  t.ok(performance.now() - exitingMs >= 3000, 'one that is giving back its memory is soon gone')
})
