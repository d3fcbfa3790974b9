/**
 * One attack, and everybody beside it. A victim reads all its files without pause, containers start, the operator looks
 * and mends, and at last the service stops.
 *
 * Times are those of a machine that others may keep busy, so each limit is the promised one or a multiple of what the
 * same thing took in the same run just before the attack, whichever is longer.
 */

import type { Test } from 'tap'
import type { Box } from '../kit/box.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { type Attacker, isAlive } from './attackers.ts'
import { seenTotal, type Timed, timed } from './bounded.ts'
import { MemoryWatch } from './memory.ts'
import { Newcomers } from './newcomers.ts'
import { findTraces, killProcesses } from './traces.ts'
import { type Seen, Victim } from './victim.ts'

const P99_MS = 50
const LONGEST_MS = 2000
const START_MS = 5000
const COMMAND_MS = 10_000
const MEMORY_MIB = 100
/** What a noisy machine may take longer than it took before the attack. */
export const NOISE = 5
/** Of the time that a victim reads, beside an attack that takes its files away. */
const MOST_FAILING = 0.5

export const HOSTILE = { ...needs('runc', 'gcc', 'setpriv'), timeout: 170_000 }

/** Of a file with two of them, which .taprc gives less. */
export const TWO_TRIALS_MS = 2 * HOSTILE.timeout + 60_000

export interface Stage {
  t: Test
  here: Site
  victim: Victim
  newcomers: Newcomers
  /** How long the slowest container took to start before the attack. */
  calmStartMs: number
}

export interface Attack {
  start(stage: Stage): Promise<readonly Attacker[]>
  /** What else is done and checked while it goes on. */
  meanwhile?(stage: Stage): Promise<void>
  /** The attack takes files away for a moment: a reader may get errors or the host's text then. */
  interrupts?: boolean
}

export async function trial(t: Test, attack: Attack): Promise<void> {
  const here = site(t)
  const attackers: Attacker[] = []
  try {
    await run(t, here, attack, attackers)
  } finally {
    // What hangs or has failed must not keep the rest from being cleaned up.
    for (const attacker of attackers) attacker.end()
    killProcesses(here)
  }
}

async function run(t: Test, here: Site, attack: Attack, attackers: Attacker[]): Promise<void> {
  const victim = await Victim.start(t, here)
  const newcomers = new Newcomers(t, here)
  const calmReading = victim.read()
  const calmStart = await newcomers.start(2)
  const calm = await calmReading()
  const stage = { t, here, victim, newcomers, calmStartMs: calmStart.slowestMs }
  t.comment(`before: ${JSON.stringify(calm)}, a start in ${calmStart.slowestMs} ms`)
  t.strictSame(calmStart.wrong, [], 'before the attack all is well')

  const memory = new MemoryWatch(here)
  try {
    const reading = victim.read()
    attackers.push(...(await attack.start(stage)))
    const { slowestMs, wrong } = await newcomers.start(size({ short: 4, long: 20 }))
    const limitMs = Math.max(START_MS, NOISE * calmStart.slowestMs)
    t.ok(slowestMs < limitMs, `containers start in ${slowestMs} ms`)
    t.strictSame(wrong, [], 'and see their own files')
    await lookAndMend(stage)
    await attack.meanwhile?.(stage)
    isServed(t, attack, calm, await timed(COMMAND_MS, reading))
    for (const each of attackers) t.ok(isAlive(each), `the attack of process ${each.pid} goes on`)
    await stops(stage)
  } finally {
    for (const attacker of attackers) attacker.end()
    const { mostMib, what } = memory.end()
    t.ok(mostMib > 0 && mostMib < MEMORY_MIB, `the service had ${mostMib} MiB at most: ${what}`)
  }
  await leavesNothing(
    stage,
    attackers.flatMap(({ box }) => box ?? []),
  )
}

function isServed(t: Test, attack: Attack, calm: Seen, { value, error }: Timed<Seen>): void {
  if (value === undefined) {
    t.fail(`the victim does not come back: ${error}`)
    return
  }
  t.comment(`beside it: ${JSON.stringify(value)}`)
  t.ok(value.reads - value.failures > 0, 'it is served')
  t.ok(value.p99Ms < Math.max(P99_MS, NOISE * calm.p99Ms), `p99 is ${value.p99Ms} ms`)
  t.ok(
    value.longestMs < Math.max(LONGEST_MS, NOISE * calm.longestMs),
    `the longest read took ${value.longestMs} ms`,
  )
  if (attack.interrupts) {
    const share = value.failingMs / value.tookMs
    t.ok(share < MOST_FAILING, `reads fail ${Math.round(100 * share)} % of the time`)
    return
  }
  t.equal(value.failures, 0, `no read fails ${value.firstFailure}`)
  t.equal(value.strange, 0, 'all are its own')
}

/** What an operator does: each command ends, and does what it should for all but the attackers. */
async function lookAndMend({ t, here, victim, newcomers }: Stage): Promise<void> {
  const roots = ['--runtime-root', `${here.directory}/runc`]
  const run = (...args: string[]) => ends(t, args.join(' '), () => here.toolkit(...args, ...roots))
  const [out] = newcomers.staying
  if (out !== undefined) await ends(t, 'umount -c', () => here.procveil(['umount', '-c', out.id]))
  const listed = await run('ps', '--json')
  const states = new Map(parse(listed?.stdout).map(({ id, state }) => [id, state]))
  t.equal(states.get(victim.box.id), 'ok', 'ps knows the victim')
  await run('doctor')
  const mended = await run('remount', '--all')
  t.comment(mended?.stdout, mended?.stderr)
  t.strictSame(await totals(newcomers), newcomers.ownTotals(), 'remount --all mends the others')
  t.equal(await seenTotal(victim.box), victim.totalKib, 'and leaves the victim alone')
}

async function stops({ t, here, victim, newcomers }: Stage): Promise<void> {
  const reading = victim.read()
  await ends(t, 'stop', () => here.procveil(['stop']))
  const seen = await timed(COMMAND_MS, reading)
  const { failures = Number.POSITIVE_INFINITY, firstFailure } = seen.value ?? {}
  // Who has a file of ours open when the mount ends gets an error: README, Limits. The reader is one process.
  t.ok(failures <= 1, `no more than one read fails meanwhile ${firstFailure ?? seen.error}`)
  t.equal(await seenTotal(victim.box), HOST_KIB, "the victim sees the host's files")
  t.strictSame(
    await totals(newcomers),
    newcomers.staying.map(() => HOST_KIB),
    'and all others',
  )
}

/** Its result; `undefined` when it does not end in time, which is a failure. */
export async function ends<T>(
  t: Test,
  name: string,
  action: () => Promise<T>,
): Promise<T | undefined> {
  const { tookMs, value, error } = await timed(COMMAND_MS, action)
  t.ok(error === undefined, `${name} ends: ${error ?? `in ${tookMs} ms`}`)
  return value
}

const totals = ({ staying }: Newcomers) => Promise.all(staying.map(seenTotal))

function parse(json: string | undefined): { id: string; state: string }[] {
  try {
    return JSON.parse(json ?? '[]')
  } catch {
    return []
  }
}

async function leavesNothing(
  { t, here, victim, newcomers }: Stage,
  others: readonly Box[],
): Promise<void> {
  for (const box of [...others, victim.box, ...newcomers.staying]) await box.remove()
  let left: string[] = []
  await retry(() => {
    left = findTraces(here)
    if (left.length > 0) throw new Error('Cannot go on: something is left')
  }).catch(() => {})
  t.strictSame(left, [], 'nothing is left')
}
