/** Each state in which the service is broken ends well: by itself, or by the very command that doctor names. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { diagnose, follow, problemOf } from '../kit/doctor.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { BUSYBOX, needs, retry } from '../kit/requirements.ts'
import { signalAll } from '../kit/signal-all.ts'
import { type Site, site } from '../kit/site.ts'
import { Freezer } from './freezer.ts'
import { UNHURRIED } from './load.ts'
import { needsOldFreezer, OldFreezer } from './old-freezer.ts'

const script = (name: string) => fileURLToPath(new URL(`../kit/${name}`, import.meta.url))
const REFUSER = script('refuser.py')
const HOLD = script('hold.py')

const options = { ...needs('runc'), ...UNHURRIED }
const scripted = { ...needs('runc', 'python3'), ...UNHURRIED }
const traced = { ...needs('runc', 'python3', 'strace'), ...UNHURRIED }

/** So long after the last request the keeper has gone to sleep, and looks at nothing. */
const QUIET_MS = 3500

/** Longer than doctor takes in any state. */
const EXAMINED_MS = 20_000

const OWN_KIB = String(2 ** 16)

const own = (t: Test, here: Site, id: string) => started(t, here, id, { memoryBytes: 2 ** 26 })

function requirePid(here: Site, command: 'serve' | 'server'): number {
  const pid = here.find(command)
  if (pid === undefined) throw new Error(`Cannot find the ${command} process`)
  return pid
}

/** A container that is there sees its own file, a new one too, and doctor has nothing to say. */
async function isWell(t: Test, here: Site, box: Box): Promise<void> {
  // What was started heals its containers a moment later.
  await retry(async () => {
    const problems = await diagnose(here)
    if (problems.length > 0) throw new Error(`Cannot see it well: ${JSON.stringify(problems)}`)
  })
  t.equal(await readMemTotal(box), OWN_KIB)
  t.equal(await readMemTotal(await own(t, here, 'next')), OWN_KIB, 'a new container')
  await retry(() => {
    if (here.servers().length !== 2) throw new Error('Cannot find one keeper and its server')
  })
}

/** Runs what doctor names for the state, and looks whether all is well. */
async function isMended(t: Test, here: Site, box: Box): Promise<void> {
  const startMs = performance.now()
  const { advice } = await problemOf(t, here, 'mount', ['containers'])
  const tookMs = Math.round(performance.now() - startMs)
  t.comment(`after ${tookMs} ms`)
  t.ok(tookMs < EXAMINED_MS, 'doctor does not hang')
  await follow(t, here, advice)
  await isWell(t, here, box)
}

/** A service that was just started is done with its containers. */
async function isDone(here: Site): Promise<void> {
  await retry(() => {
    if (!/ attached$/m.test(here.readLog())) throw new Error('Cannot go on: it heals')
  })
}

/** A mount at which the kernel refuses everything, in the place of a service that was killed. */
async function refuse(t: Test, here: Site): Promise<void> {
  await isDone(here)
  await here.killServers()
  await execa('umount', ['-l', here.mountPoint])
  await mountRefusing(t, here)
}

async function mountRefusing(t: Test, here: Site): Promise<void> {
  const refuser = execa('python3', [REFUSER, here.mountPoint], { reject: false })
  t.teardown(() => void refuser.kill('SIGKILL'))
  await once(refuser.stdout, 'data')
  t.throws(() => statfsSync(here.mountPoint), { code: 'ECONNREFUSED' })
}

t.test('doctor names what mends a mount that refuses everything', scripted, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  await refuse(t, here)
  await isMended(t, here, box)
})

t.test('doctor names what mends it where a dead mount lies on ours', scripted, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  await isDone(here)
  await mountRefusing(t, here)
  t.equal(await readMemTotal(box), OWN_KIB, 'who has the files keeps them')
  await isMended(t, here, box)
})

for (const [name, act] of [
  ['a hook', (here, t) => own(t, here, 'hooked')],
  ['remount', here => here.procveil(['remount', '--all', '--registered'])],
  ['check-lxcfs', here => here.procveil(['check-lxcfs'])],
  ['serve', here => Promise.resolve(spawn(here.executable, [...here.options, 'serve']))],
] as readonly (readonly [string, (here: Site, t: Test) => Promise<unknown>])[]) {
  t.test(`${name} takes a mount that refuses everything for gone`, scripted, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    await refuse(t, here)
    await act(here, t)
    await retry(async () => {
      if ((await readMemTotal(box)) !== OWN_KIB) throw new Error('Cannot go on: not healed')
    })
    await isWell(t, here, box)
  })
}

t.test('a service makes a mount anew that refuses everything', traced, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  await isDone(here)
  await here.killServers()
  // Between the mount and its first server there are some seconds.
  const slow = ['-e', 'trace=execve', '-e', 'inject=execve:delay_enter=5000000:when=1']
  const command = [here.executable, ...here.options, 'serve']
  const strace = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...slow, ...command], {
    stdio: 'ignore',
  })
  t.teardown(() => strace.kill('SIGKILL'))
  await retry(async () => {
    const keeper = here.processes().find(({ args }) => args.includes('serve'))
    await execa('python3', [REFUSER, '--of', String(keeper?.pid)])
  })
  strace.kill('SIGKILL')
  const startMs = performance.now()
  await retry(async () => {
    if ((await readMemTotal(box)) !== OWN_KIB) throw new Error('Cannot go on: not healed')
  })
  t.comment(`healed after ${Math.round(performance.now() - startMs)} ms`)
  t.match(here.readLog(), /is mounted anew, .*: it refused everything/)
  await isWell(t, here, box)
})

for (const args of [['-l'], ['-f']]) {
  const name = `umount ${args}`
  /** While the keeper sleeps; busybox, unlike umount(8), asks the file system nothing that would wake it up. */
  const takeOff = async (here: Site) => {
    await sleep(QUIET_MS)
    await execa(BUSYBOX, ['umount', ...args, here.mountPoint], { reject: false })
  }

  t.test(`doctor never says that all is well after ${name}`, options, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    await isDone(here)
    await takeOff(here)
    // The end of the connection wakes the keeper up, which looks once in 0.4 s.
    await sleep(600)
    if (here.hostMounts().length === 0) await isMended(t, here, box)
    else await isWell(t, here, box)
  })

  t.test(`remount succeeds at once after ${name}`, options, async t => {
    const here = site(t)
    const boxes = [await own(t, here, 'one'), await own(t, here, 'two')]
    await takeOff(here)
    const { stdout, exitCode, stderr } = await here.procveil(['remount', '--all', '--registered'])
    t.equal(exitCode, 0, stderr)
    t.equal(stdout, '2 attached')
    for (const box of boxes) t.equal(await readMemTotal(box), OWN_KIB)
    await isWell(t, here, boxes[0] as Box)
  })

  t.test(`a hook succeeds at once after ${name}`, options, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    await takeOff(here)
    t.equal(await readMemTotal(await own(t, here, 'hooked')), OWN_KIB)
    await isWell(t, here, box)
  })
}

type Half = 'serve' | 'server'
const HALVES: readonly (readonly [string, readonly Half[]])[] = [
  ['the keeper', ['serve']],
  ['keeper and server', ['serve', 'server']],
]

const pidsOf = (here: Site, halves: readonly Half[]) => halves.map(half => requirePid(here, half))

for (const [who, halves] of HALVES) {
  t.test(`doctor names what mends it where ${who} was stopped`, options, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    signalAll(pidsOf(here, halves), 'SIGSTOP')
    await isMended(t, here, box)
  })

  t.test(`doctor names what mends it where ${who} was frozen`, options, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    const freezer = Freezer.make(t, `procveil advice-${process.pid}`)
    for (const pid of pidsOf(here, halves)) freezer.add(pid)
    freezer.freeze(true)
    await retry(() => {
      if (!freezer.isFrozen) throw new Error('Cannot go on: it is not frozen')
    })
    await isMended(t, here, box)
    await here.procveil(['stop'])
  })

  const old = { ...options, ...needsOldFreezer() }
  t.test(`the same with the freezer of cgroup v1, ${who}`, old, async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    const freezer = OldFreezer.make(t, 'procveil-advice')
    for (const pid of pidsOf(here, halves)) await freezer.freeze(pid)
    await isMended(t, here, box)
  })
}

t.test('a server alone that was stopped is replaced', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  process.kill(requirePid(here, 'server'), 'SIGSTOP')
  t.equal(await readMemTotal(box), OWN_KIB)
  await isWell(t, here, box)
})

t.test('a server that was stopped and whose keeper was killed', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  const [keeper, server] = pidsOf(here, ['serve', 'server']) as [number, number]
  process.kill(server, 'SIGSTOP')
  process.kill(keeper, 'SIGKILL')
  await isMended(t, here, box)
})

/** As one that waits in the kernel, or in an endless loop. */
async function hangKeeper(t: Test, here: Site): Promise<void> {
  const holding = execa('python3', [HOLD, String(requirePid(here, 'serve'))], { reject: false })
  t.teardown(() => void holding.kill('SIGKILL'))
  await once(holding.stdout, 'data')
}

t.test('doctor names what mends it where the keeper hangs', scripted, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  await hangKeeper(t, here)
  await isMended(t, here, box)
})

t.test(
  'doctor names what mends it where the keeper hangs and the server, too',
  scripted,
  async t => {
    const here = site(t)
    const box = await own(t, here, 'one')
    await hangKeeper(t, here)
    process.kill(requirePid(here, 'server'), 'SIGSTOP')
    await isMended(t, here, box)
  },
)
