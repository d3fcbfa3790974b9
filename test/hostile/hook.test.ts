/**
 * A service that does not answer, and a root that hangs when the hook comes to it: the hook gives up by itself, before
 * the runtime's patience ends, and the container starts with the host's files.
 */

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t, { type Test } from 'tap'
import { Freezer } from '../chaos/freezer.ts'
import { type Box, box, makeRootfs, started } from '../kit/box.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { program } from './attackers.ts'
import { seenTotal, timed } from './bounded.ts'
import { HOSTILE } from './trial.ts'

/** The hook's own deadline is 12 s, and its entry's is 20 s. */
const START_MS = 15_000
const LIMIT_MS = 40_000
const CONTAINERS = size({ short: 1, long: 3 })

/** They start without their files, and get them once the service goes on. */
async function startWithout(t: Test, here: Site): Promise<Box[]> {
  const boxes = Array.from({ length: CONTAINERS }, (_, i) => box(t, here, `late-${i}`))
  await Promise.all(
    boxes.map(async each => {
      const { tookMs, error } = await timed(LIMIT_MS, () => each.start())
      t.ok(error === undefined, `${each.id} starts ${error ?? ''}`)
      t.ok(tookMs < START_MS, `in ${tookMs} ms`)
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
    const signal = (name: NodeJS.Signals) => {
      for (const pid of pids) process.kill(pid, name)
    }
    return { on: () => signal('SIGSTOP'), off: () => signal('SIGCONT') }
  },
  frozen: (t, pids) => {
    const freezer = Freezer.make(t, 'procveil-service')
    for (const pid of pids) freezer.add(pid)
    return { on: () => freezer.freeze(true), off: () => freezer.freeze(false) }
  },
}

// Both at a time: nobody does anything but wait.
t.jobs = 2

for (const [how, make] of Object.entries(PAUSES)) {
  t.test(`both processes are ${how}`, HOSTILE, async t => {
    const here = site(t)
    const known = await started(t, here, 'known', { memoryBytes: 2 ** 26 })
    const pause = make(t, [here.find('serve') ?? 0, here.find('server') ?? 0])
    t.teardown(() => here.killServers())
    pause.on()
    t.teardown(pause.off)
    try {
      await startWithout(t, here)
    } finally {
      pause.off()
    }
    t.equal(await seenTotal(known), String(2 ** 16))
  })
}

t.test('the root stops answering just before the hook', HOSTILE, async t => {
  const here = site(t)
  const beside = await started(t, here, 'beside', { memoryBytes: 2 ** 26 })
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
  const end = () => {
    for (const pid of [Number(readPid(pidFile)), child.pid ?? 0]) {
      try {
        if (pid > 0) process.kill(pid, 'SIGKILL')
      } catch {}
    }
    for (const path of [rootfs, fuse]) execaSync('umount', ['-l', path], { reject: false })
  }
  t.teardown(end)
  await retry(() => readPid(pidFile))
  const startMs = performance.now()
  // The container fails or hangs by itself then: nobody waits for it.
  const starting = made.start().catch(() => {})
  try {
    await retry(() => hooksOf(here).length > 0 || fail('Cannot see the hook'))
    await retry(() => hooksOf(here).length === 0 || fail('Cannot go on: it is there'), START_MS)
  } catch (error) {
    t.error(error)
  }
  t.ok(performance.now() - startMs < START_MS, `it ends in ${performance.now() - startMs} ms`)
  t.equal(await seenTotal(beside), String(2 ** 16))
  const { tookMs, error } = await timed(START_MS, () => started(t, here, 'next'))
  t.ok(error === undefined && tookMs < 5000, `the next one starts in ${tookMs} ms ${error ?? ''}`)
  end()
  t.equal((await timed(START_MS, () => starting)).error, undefined)
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
