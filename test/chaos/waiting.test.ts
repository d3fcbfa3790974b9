/** A reader whose server does not answer can still be killed, frozen and thawed. */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { Freezer } from './freezer.ts'

/** Neither half can help the other. */
function hang(here: Site): void {
  for (const command of ['serve', 'server'] as const) {
    process.kill(here.find(command) ?? 0, 'SIGSTOP')
  }
}

function resume(here: Site): void {
  for (const command of ['server', 'serve'] as const) {
    process.kill(here.find(command) ?? 0, 'SIGCONT')
  }
}

interface Reader {
  /** On the host. */
  pid: number
  ended: Promise<{ exitCode?: number | undefined }>
}

/** A `cat` in the container that waits for an answer. */
async function startReader(t: Test, box: Box): Promise<Reader> {
  const [program = '', ...args] = box.inside
  const ended = execa(program, [...args, 'cat', '/proc/meminfo'], { reject: false })
  t.teardown(() => void ended.kill('SIGKILL'))
  const namespace = readlinkSync(`/proc/${await box.pid()}/ns/pid`)
  const pid = await retry(() => {
    const found = readdirSync('/proc').find(each => isReader(each, namespace))
    if (found === undefined) throw new Error('Cannot find the reader')
    return Number(found)
  })
  await sleep(100)
  return { pid, ended }
}

function isReader(pid: string, namespace: string): boolean {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, 'utf8')
    return comm === 'cat\n' && readlinkSync(`/proc/${pid}/ns/pid`) === namespace
  } catch {
    return false
  }
}

t.test('it dies at once when it is killed', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'killed')
  hang(here)
  t.teardown(() => resume(here))
  const { pid, ended } = await startReader(t, box)
  const startMs = performance.now()
  process.kill(pid, 'SIGKILL')
  await retry(() => {
    if (existsSync(`/proc/${pid}`)) throw new Error('Cannot go on: it is still there')
  }, 2000)
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`)
  await ended
})

t.test('its container can be frozen, and thaws', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'frozen')
  hang(here)
  const { pid, ended } = await startReader(t, box)
  const freezer = Freezer.make(t, 'procveil-frozen')
  freezer.add(pid)
  freezer.freeze(true)
  await sleep(200)
  resume(here)
  await retry(() => {
    if (!freezer.isFrozen) throw new Error('Cannot go on: it is not frozen')
  })
  t.ok(existsSync(`/proc/${pid}`), 'it got its answer and is frozen with it')
  freezer.freeze(false)
  t.equal((await ended).exitCode, 0)
})

t.test('its container can be frozen and killed', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'frozen')
  hang(here)
  t.teardown(() => resume(here))
  const { pid, ended } = await startReader(t, box)
  const freezer = Freezer.make(t, 'procveil-frozen')
  freezer.add(pid)
  freezer.freeze(true)
  await sleep(200)
  process.kill(pid, 'SIGKILL')
  await ended
  t.notOk(existsSync(`/proc/${pid}`))
})
