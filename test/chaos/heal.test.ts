/** What mends the containers when every process of ours is gone, and what stops with a service that stops. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { MOUNTED } from '../kit/files.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const CONTAINERS = size({ short: 4, long: 4, full: 50 })

const options = { ...needs('runc'), ...UNHURRIED }

async function startAll(t: Test, here: Site): Promise<Box[]> {
  const boxes: Box[] = []
  for (let i = 0; i < CONTAINERS; i++) {
    boxes.push(await started(t, here, `box${i}`, { memoryBytes: (i + 64) * 2 ** 20 }))
  }
  return boxes
}

/** Their mounts, as their init sees them. */
async function ourMounts(box: Box): Promise<number> {
  const mountinfo = readFileSync(`/proc/${await box.pid()}/mountinfo`, 'utf8')
  return mountinfo.split('\n').filter(line => line.includes(' fuse.lxcfs ')).length
}

async function areOwn(t: Test, boxes: readonly Box[]): Promise<void> {
  const totals = await Promise.all(boxes.map(readMemTotal))
  t.strictSame(
    totals,
    boxes.map((_, i) => String((i + 64) * 1024)),
  )
  t.equal(await ourMounts(boxes[0] as Box), MOUNTED.length, 'no dead mounts below')
}

async function until(t: Test, boxes: readonly Box[]): Promise<void> {
  await retry(async () => {
    const totals = await Promise.all(boxes.map(readMemTotal))
    if (totals.includes(HOST_KIB)) throw new Error('Cannot go on: one still sees the host')
  }, 60_000)
  await areOwn(t, boxes)
}

t.test('remount heals all containers after every process was killed', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  const paused = boxes[1] as Box
  await paused.runc('pause', paused.id)
  await here.killServers()
  await t.rejects(readMemTotal(boxes[0] as Box), { code: 'ENOTCONN' })
  const startMs = performance.now()
  const { stdout, exitCode } = await here.procveil(['remount', '--all', '--registered'])
  t.comment(`${CONTAINERS} containers healed in ${Math.round(performance.now() - startMs)} ms`)
  t.equal(stdout, `${CONTAINERS} attached`)
  t.equal(exitCode, 0)
  await areOwn(t, boxes)
  t.strictSame(here.hostMounts(), [here.mountPoint])
})

t.test('the next hook heals all other containers, too', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  await (boxes[2] as Box).remove()
  await here.killServers()
  const startMs = performance.now()
  await started(t, here, 'next', { memoryBytes: 2 ** 25 })
  const others = boxes.filter(box => box !== boxes[2])
  await retry(async () => {
    for (const box of others) await readMemTotal(box)
  }, 60_000)
  t.comment(`${others.length} containers healed in ${Math.round(performance.now() - startMs)} ms`)
  t.equal(await readMemTotal(boxes[0] as Box), String(64 * 1024))
})

for (const [name, command] of [
  ['check-lxcfs', ['check-lxcfs']],
  ['the service when it is started', ['serve']],
] as const) {
  t.test(`${name} heals all containers`, options, async t => {
    const here = site(t)
    const boxes = await startAll(t, here)
    await here.killServers()
    const running = here.procveil(command)
    await until(t, boxes)
    t.strictSame(here.hostMounts(), [here.mountPoint])
    if (name !== 'check-lxcfs') await here.procveil(['stop'])
    t.equal((await running).exitCode, 0)
  })
}

t.test('a machine that is too busy at first for any container', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  await here.procveil(['stop'])
  // No worker gets any time, as in the first seconds of a machine that starts.
  const holding = setInterval(() => {
    for (const pid of here.workers()) tryStop(pid)
  }, 5)
  t.teardown(() => clearInterval(holding))
  const running = here.procveil(['serve'])
  await retry(() => {
    const silent = here.readLog().match(/Cannot remount box\d/g) ?? []
    if (silent.length < CONTAINERS) throw new Error('Cannot go on: not each was tried')
  }, 60_000)
  clearInterval(holding)
  for (const box of boxes) t.equal(await readMemTotal(box), HOST_KIB)
  await until(t, boxes)
  await here.procveil(['stop'])
  await running
})

/** It may have ended meanwhile. */
function tryStop(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP')
  } catch {}
}

t.test('stop takes the files out of all containers first', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  const failures: string[] = []
  let stopped = false
  const reading = (async () => {
    while (!stopped) {
      await readMemTotal(boxes[0] as Box).catch(error => failures.push(error.message))
      await sleep(1)
    }
  })()
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  stopped = true
  await reading
  t.strictSame(failures, [], 'no reader fails meanwhile')
  for (const box of boxes) {
    t.equal(await readMemTotal(box), HOST_KIB)
    t.equal(await ourMounts(box), 0)
  }
  t.strictSame(here.hostMounts(), [])
  t.strictSame(here.servers(), [])
  t.match((await here.procveil(['stop'])).stderr, 'none serves from')

  t.test('a service that is started again puts them back', async t => {
    const { exitCode, stderr } = await here.procveil(['remount', '--container-id', 'box3'])
    t.equal(exitCode, 0, stderr)
    await until(t, boxes)
  })
})

t.test('what an operator took out is not put back by the service', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  const out = await here.procveil(['umount', '-c', 'box1'])
  t.equal(out.stdout, '1 detached')
  await here.killServers()
  t.equal((await here.procveil(['remount', '-c', 'box0'])).exitCode, 0)
  await retry(async () => {
    const totals = await Promise.all(boxes.map(readMemTotal))
    const hosts = totals.filter(total => total === HOST_KIB)
    if (hosts.length > 1) throw new Error('Cannot go on: others still see the host')
  })
  t.equal(await readMemTotal(boxes[1] as Box), HOST_KIB)
  t.equal((await here.procveil(['remount', '-c', 'box1'])).stdout, '1 attached')
  await areOwn(t, boxes)
})

t.test('a service that cannot live takes its files out', options, async t => {
  const here = site(t)
  const boxes = await startAll(t, here)
  // As one that crashes before it has answered anything.
  await retry(() => {
    signal(here, 'server', 'SIGALRM')
    if (here.servers().length > 0) throw new Error('Cannot go on: it still tries')
  })
  t.match(here.readLog(), /error: Cannot keep a server alive at .*: it ended with SIGALRM/)
  for (const box of boxes) t.equal(await readMemTotal(box), HOST_KIB)
  t.strictSame(here.hostMounts(), [])
})
