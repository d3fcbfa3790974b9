/**
 * A service that does not answer, and a root that hangs when the hook comes to it: the hook gives up by itself, before
 * the runtime's patience ends, and the container starts with the host's files.
 */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t, { type Test } from 'tap'
import { Freezer } from '../chaos/freezer.ts'
import { type Box, box, makeRootfs, started } from '../kit/box.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { retry } from '../kit/requirements.ts'
import { signalAll } from '../kit/signal-all.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { program } from './attackers.ts'
import { seenTotal, timed } from './bounded.ts'
import { HOSTILE, NOISE } from './trial.ts'

/** The hook's own deadline; its entry's is 20 s. */
const HOOK_MS = 12_000
const LIMIT_MS = 40_000
const CONTAINERS = size({ short: 1, long: 3 })

/** A start with a hook that gives up, where one took so long when all was well. */
const startLimit = (calmMs: number) => HOOK_MS + Math.max(3000, NOISE * calmMs)

/** They start without their files, and get them once the service goes on. */
async function startWithout(t: Test, here: Site, calmMs: number): Promise<Box[]> {
  const boxes = Array.from({ length: CONTAINERS }, (_, i) => box(t, here, `late-${i}`))
  await Promise.all(
    boxes.map(async each => {
      const { tookMs, error } = await timed(LIMIT_MS, () => each.start())
      t.ok(error === undefined, `${each.id} starts ${error ?? ''}`)
      t.ok(tookMs < startLimit(calmMs), `in ${tookMs} ms`)
    }),
  )
  for (const each of boxes)
    t.equal(await seenTotal(each).catch(String), HOST_KIB, "with the host's files")
  return boxes
}

interface Pause {
  on(): void
  off(): void
}

const PAUSES: Readonly<Record<string, (t: Test, pids: readonly number[]) => Pause>> = {
  stopped: (_, pids) => {
    return { on: () => signalAll(pids, 'SIGSTOP'), off: () => signalAll(pids, 'SIGCONT') }
  },
  frozen: (t, pids) => {
    const freezer = Freezer.make(t, `procveil-service-${process.pid}`)
    for (const pid of pids) freezer.add(pid)
    return { on: () => freezer.freeze(true), off: () => freezer.freeze(false) }
  },
}

// Both at a time: nobody does anything but wait.
t.jobs = 2

for (const [how, make] of Object.entries(PAUSES)) {
  t.test(`both processes are ${how}`, HOSTILE, async t => {
    const here = site(t)
    const startMs = performance.now()
    const known = await started(t, here, 'known', { memoryBytes: 2 ** 26 })
    const calmMs = performance.now() - startMs
    const pids = [here.find('serve'), here.find('server')].filter(pid => pid !== undefined)
    t.equal(pids.length, 2)
    const pause = make(t, pids)
    t.teardown(() => here.killServers())
    pause.on()
    t.teardown(pause.off)
    try {
      await startWithout(t, here, calmMs)
    } finally {
      pause.off()
    }
    t.equal(await seenTotal(known), String(2 ** 16))
  })
}

t.test('the root stops answering just before the hook', HOSTILE, async t => {
  const here = site(t)
  const calmStartMs = performance.now()
  const beside = await started(t, here, 'beside', { memoryBytes: 2 ** 26 })
  const calmMs = performance.now() - calmStartMs
  const limitMs = startLimit(calmMs)
  const attack = program(here)
  const lower = join(here.directory, 'lower')
  mkdirSync(lower)
  makeRootfs(lower)
  const pidFile = join(here.directory, 'fuse.pid')
  const made = box(t, here, 'mute', {
    hooksBefore: [
      {
        path: '/bin/busybox',
        args: ['busybox', 'sh', '-c', `kill -USR1 $(cat ${pidFile}); sleep 0.2`],
        env: [],
        timeout: 5,
      },
    ],
  })
  const rootfs = join(made.bundle, 'rootfs')
  const fuse = join(here.directory, 'fuse-root')
  const args = ['serve-root', fuse, lower, rootfs, here.fuseDevice(), pidFile]
  const child = spawn(attack, args, { stdio: 'inherit' })
  // With the FUSE's process everybody's wait ends, that of runc too.
  let hasEnded = false
  const end = () => {
    // What has ended once may be another's pid by now.
    if (hasEnded) return
    hasEnded = true
    // Before there is a pid, the FUSE's process ends with the one that started it.
    const fusePid = existsSync(pidFile) ? Number(readPid(pidFile)) : 0
    signalAll(
      [fusePid, child.pid ?? 0].filter(pid => pid > 0),
      'SIGKILL',
    )
    for (const path of [rootfs, fuse]) execaSync('umount', ['-l', path], { reject: false })
  }
  t.teardown(end)
  await retry(() => readPid(pidFile))
  const startMs = performance.now()
  // The container fails or hangs by itself then: nobody waits for it.
  const starting = made.start().catch(() => {})
  try {
    await retry(() => hooksOf(here).length > 0 || fail('Cannot see the hook'))
    await retry(() => hooksOf(here).length === 0 || fail('Cannot go on: it is there'), limitMs)
  } catch (error) {
    t.error(error)
  }
  t.ok(performance.now() - startMs < limitMs, `it ends in ${performance.now() - startMs} ms`)
  t.equal(await seenTotal(beside), String(2 ** 16))
  const { tookMs, error } = await timed(LIMIT_MS, () => started(t, here, 'next'))
  const nextMs = Math.max(5000, NOISE * calmMs)
  t.ok(error === undefined && tookMs < nextMs, `the next one starts in ${tookMs} ms ${error ?? ''}`)
  end()
  t.equal((await timed(LIMIT_MS, () => starting)).error, undefined)
})

function fail(message: string): never {
  throw new Error(message)
}

function readPid(file: string): string {
  return readFileSync(file, 'utf8')
}

/** Pids of the hooks that run for the site. */
function hooksOf(here: Site): number[] {
  return here
    .processes()
    .filter(({ args }) => args.includes('hook'))
    .map(({ pid }) => pid)
}
