/** Somebody takes the mount away: umount(8) in all its forms, and the end of the connection. */

import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { splitDevice } from '../../src/host/device-number.ts'
import { type Box, started } from '../kit/box.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { BUSYBOX, needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { isUnnoticed } from './disturb.ts'
import { Load, UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }
const locking = { ...needs('runc', 'python3'), ...UNHURRIED }
const stopping = { ...needs('runc', 'strace'), ...UNHURRIED }

/** A healthy machine heals within 2 s; this one may be busy with other tests. */
const HEALED_MS = 5000

const OWN_KIB = String(2 ** 16)

const own = (t: Test, here: Site, id: string) => started(t, here, id, { memoryBytes: 2 ** 26 })

/** As `echo 1 > /sys/fs/fuse/connections/N/abort`, for which that file system need not be mounted. */
async function abort(here: Site): Promise<void> {
  const { minor } = splitDevice(statSync(here.mountPoint).dev)
  const control = `${here.directory}/control`
  mkdirSync(control, { recursive: true })
  await execa('mount', ['-t', 'fusectl', 'fusectl', control])
  try {
    writeFileSync(`${control}/${minor}/abort`, '1')
  } finally {
    await execa('umount', [control])
  }
}

/** Returns after how many milliseconds the container sees its own file again. */
async function untilHealed(box: Box): Promise<number> {
  const startMs = performance.now()
  await retry(async () => {
    if ((await readMemTotal(box)) !== OWN_KIB) throw new Error('Cannot go on: it is not healed')
  })
  return Math.round(performance.now() - startMs)
}

/** One keeper and one server, which a new container can use. */
async function isWell(t: Test, here: Site): Promise<void> {
  const next = await own(t, here, 'next')
  t.equal(await readMemTotal(next), OWN_KIB, 'a new container gets its files')
  t.strictSame(here.hostMounts(), [here.mountPoint], 'and the mount is there once')
  await retry(() => {
    if (here.servers().length !== 2) throw new Error('Cannot find one keeper and its server')
  })
}

for (const [name, act] of [
  ['umount --force', here => execa('umount', ['-f', here.mountPoint], { reject: false })],
  ['the end of the connection', abort],
] as readonly (readonly [string, (here: Site) => Promise<unknown>])[]) {
  t.test(`after ${name} the mount is made anew, and containers are healed`, options, async t => {
    const here = site(t)
    const boxes = [await own(t, here, 'one'), await own(t, here, 'two')]
    const keeper = here.find('serve')
    await sleep(300)
    await act(here)
    for (const box of boxes) {
      const healedMs = await untilHealed(box)
      t.comment(`healed after ${healedMs} ms`)
      t.ok(healedMs < HEALED_MS)
    }
    t.match(here.readLog(), /is mounted anew, and bound into the containers again: its connection/)
    t.equal(here.find('serve'), keeper, 'the same keeper goes on')
    await isWell(t, here)
  })

  t.test(`readers during ${name} fail until then, and no more`, options, async t => {
    const here = site(t)
    const load = await Load.start(t, here)
    await sleep(500)
    await act(here)
    await sleep(3000)
    const logged = here.readLog()
    await sleep(1000)
    const seen = await load.stop()
    t.comment(`${seen.reads} reads, ${seen.failures} failed, the longest took ${seen.longestMs} ms`)
    t.ok(seen.failures > 0)
    t.strictSame(
      seen.failed.filter(message => !/ENOTCONN|ECONNABORTED/.test(message)),
      [],
    )
    // While the new files are put in the place of the old ones a reader may see the host's, whole.
    t.notMatch(seen.wrong.join(), 'its end', 'no text was short')
    t.equal(here.readLog(), logged, 'nothing more happens')
  })
}

for (const args of [['-l'], []]) {
  const name = ['umount', ...args].join(' ')
  t.test(`nobody notices ${name}`, options, async t => {
    const here = site(t)
    const load = await Load.start(t, here)
    await sleep(300)
    const before = statSync(here.mountPoint).dev
    await execa('umount', [...args, here.mountPoint])
    await retry(() => {
      if (here.hostMounts().length === 0) throw new Error('Cannot go on: it is not back')
    })
    t.equal(statSync(here.mountPoint).dev, before, 'the same connection')
    await isWell(t, here)
    isUnnoticed(t, await load.stop())
    t.match(here.readLog(), 'was unmounted: the mount is put back')
  })
}

t.test('a hook has the mount put back that nobody has missed', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  // The keeper sleeps by now, and busybox, unlike umount(8), asks the file system nothing that would wake it up.
  await sleep(3500)
  await execa(BUSYBOX, ['umount', here.mountPoint])
  await sleep(1000)
  t.comment(here.hostMounts().length === 0 ? 'nobody has looked' : 'it is back already')
  await isWell(t, here)
  t.equal(await readMemTotal(box), OWN_KIB)
})

t.test('a mount that was moved elsewhere is put back, too', options, async t => {
  const here = site(t)
  // Below a shared mount nothing can be moved.
  mkdirSync(here.mountPoint)
  await execa('mount', ['--bind', here.directory, here.directory])
  await execa('mount', ['--make-private', here.directory])
  const box = await own(t, here, 'one')
  const elsewhere = `${here.directory}/elsewhere`
  mkdirSync(elsewhere)
  await execa('mount', ['--move', here.mountPoint, elsewhere])
  const next = await own(t, here, 'next')
  t.equal(await readMemTotal(next), OWN_KIB)
  t.equal(await readMemTotal(box), OWN_KIB)
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  t.strictSame(here.servers(), [])
  t.strictSame(here.hostMounts(), [here.directory, elsewhere])
})

t.test('who unmounts again and again does not end the service', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  const keeper = here.find('serve')
  for (let i = 0; i < 12; i++) {
    await execa('umount', [i % 2 === 0 ? '-f' : '-l', here.mountPoint], { reject: false })
    await sleep(100)
  }
  await untilHealed(box)
  t.equal(here.find('serve'), keeper)
  await isWell(t, here)
})

t.test('a container that cannot be healed at first is healed later', locking, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  // Every container's byte of the file is locked. A command waits 5 s for it.
  const hold =
    'import fcntl, sys, time; f = open(sys.argv[1], "a"); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)'
  const holding = execa('python3', ['-c', hold, `${here.runDirectory}/containers.lock`], {
    reject: false,
  })
  t.teardown(() => void holding.kill('SIGKILL'))
  await once(holding.stdout, 'data')
  await execa('umount', ['-f', here.mountPoint], { reject: false })
  await retry(() => {
    if (!/remount.* 0 attached, 1 failed/.test(here.readLog()))
      throw new Error('Cannot see it fail')
  }, 20_000)
  holding.kill('SIGKILL')
  t.comment(`healed ${await untilHealed(box)} ms after the lock was free`)
})

t.test('stop ends the service where the mount cannot be taken off', stopping, async t => {
  const here = site(t)
  const box = await own(t, here, 'one')
  const keeper = String(here.find('serve'))
  const failing = ['-e', 'trace=umount2', '-e', 'inject=umount2:error=EINVAL', '-p', keeper]
  const strace = execa('strace', ['-o', '/dev/null', ...failing], { reject: false })
  t.teardown(() => void strace.kill('SIGKILL'))
  await retry(() => {
    const status = readFileSync(`/proc/${keeper}/status`, 'utf8')
    if (/^TracerPid:\t0$/m.test(status)) throw new Error('Cannot go on: it is not traced')
  })
  const { exitCode, stderr } = await here.procveil(['stop'])
  t.equal(exitCode, 0, stderr)
  t.match(here.readLog(), /error: Cannot unmount .*: umount2 failed with EINVAL/)
  // What was killed may take a moment to go.
  await retry(() => {
    if (here.servers().length > 0) throw new Error('Cannot see the end: there is another keeper')
  })
  t.equal(await readMemTotal(box), HOST_KIB)
})
