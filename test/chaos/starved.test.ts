/** A service that gets 2 % of one CPU is slow, and answers all the same: no server of it is taken for one that hangs. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { CpuLimit, needsCpuLimit } from './cpu-limit.ts'
import { signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...needsCpuLimit(), ...UNHURRIED }

const PERCENT = 2
const STARVED_MS = 20_000

/** What a busy machine may take for what takes this service some ten seconds. */
const PATIENCE_MS = 120_000

/** Long enough for a loop of replacements to show: there was one in little more than a second. */
const CALM_MS = 8000

/** Less than systemd gives a unit to start, which is 90 s. */
const START_MS = 60_000

const CONTAINERS = 4
const READERS_PER_CONTAINER = 4
const FILES = ['meminfo', 'stat', 'cpuinfo', 'uptime', 'loadavg'].map(name => `/proc/${name}`)

/** Reads file after file without pause, and writes a dot for each, until there is a file /tmp/stop. */
const SCRIPT = `until [ -e /tmp/stop ]; do
  for file in ${FILES.join(' ')}; do
    text=$(cat $file) && [ -n "$text" ] || exit 1
    printf . >> /tmp/reads
  done
done`

class Readers {
  readonly #boxes: readonly Box[]
  readonly #ended: Promise<{ exitCode?: number | undefined; stderr: string }>[]

  private constructor(boxes: readonly Box[]) {
    this.#boxes = boxes
    this.#ended = boxes.flatMap(box => {
      const [program = '', ...args] = box.inside
      return Array.from({ length: READERS_PER_CONTAINER }, () =>
        execa(program, [...args, 'sh', '-c', SCRIPT], { stdin: 'ignore', reject: false }),
      )
    })
  }

  static async start(t: Test, here: Site): Promise<Readers> {
    const boxes: Box[] = []
    for (let i = 0; i < CONTAINERS; i++) {
      boxes.push(await started(t, here, `box${i}`, { memoryBytes: 2 ** 26 }))
    }
    const made = new Readers(boxes)
    await made.untilMore(0)
    return made
  }

  /** How many reads were answered. */
  get reads(): number {
    return this.#boxes
      .map(box => statSync(join(box.bundle, 'rootfs/tmp/reads'), { throwIfNoEntry: false }))
      .reduce((sum, found) => sum + (found?.size ?? 0), 0)
  }

  /** Returns when more reads were answered than those of `before`. */
  async untilMore(before: number): Promise<void> {
    await retry(() => {
      if (this.reads <= before) throw new Error('Cannot go on: no read is answered')
    }, PATIENCE_MS)
  }

  async stop(t: Test): Promise<void> {
    for (const box of this.#boxes) writeFileSync(join(box.bundle, 'rootfs/tmp/stop'), '')
    const ended = await Promise.all(this.#ended)
    const failed = ended.filter(({ exitCode }) => exitCode !== 0).map(({ stderr }) => stderr)
    t.strictSame(failed, [], 'no read failed')
  }
}

/** Puts both processes into one cgroup, and limits that. */
function starve(t: Test, here: Site, percent = PERCENT): CpuLimit {
  const limit = CpuLimit.make(t, 'procveil-starved')
  for (const pid of here.servers()) limit.add(pid)
  limit.set(percent)
  return limit
}

/** What servers have counted: see src/service/answered.ts. */
const readCounted = (here: Site) => readFileSync(`${here.runDirectory}/answered`).readDoubleLE()

async function untilLogged(here: Site, text: string): Promise<void> {
  await retry(() => {
    if (!here.readLog().includes(text)) throw new Error(`Cannot find "${text}" in the log`)
  }, PATIENCE_MS)
}

t.test('readers get their answers, of a server that was started there, too', options, async t => {
  const here = site(t)
  const readers = await Readers.start(t, here)
  const limit = starve(t, here)
  await sleep(1000)
  t.ok(signal(here, 'server', 'SIGKILL'), 'the server is killed once')
  await untilLogged(here, 'it ended with SIGKILL')
  const before = readers.reads
  const countedBefore = readCounted(here)
  const startMs = performance.now()
  await readers.untilMore(before)
  t.comment(`the next one's first answer after ${Math.round(performance.now() - startMs)} ms`)
  await sleep(STARVED_MS)
  t.comment(`${readers.reads - before} reads`)
  t.ok(readCounted(here) > countedBefore, 'its answers are counted')
  limit.lift()
  await readers.stop(t)
  t.notMatch(here.readLog(), 'does not answer')
  t.equal(here.readLog().split('is replaced').length - 1, 1, 'no other one is replaced')
})

t.test('a server that is stopped there is replaced all the same', options, async t => {
  const here = site(t)
  const readers = await Readers.start(t, here)
  const limit = starve(t, here)
  t.ok(signal(here, 'server', 'SIGSTOP'))
  const startMs = performance.now()
  await untilLogged(here, 'does not answer')
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`)
  limit.lift()
  await readers.untilMore(readers.reads)
  await readers.stop(t)
})

t.test('a kill of each process at 20 % is followed by few others', options, async t => {
  const here = site(t)
  const readers = await Readers.start(t, here)
  const limit = starve(t, here, 20)
  for (const command of ['server', 'serve'] as const) {
    t.ok(signal(here, command, 'SIGKILL'))
    await sleep(500)
    await readers.untilMore(readers.reads + 50)
    await sleep(CALM_MS)
  }
  const count = (text: string) => here.readLog().split(text).length - 1
  limit.lift()
  await readers.stop(t)
  t.ok(count('is replaced') <= 3, `${count('is replaced')} servers were replaced`)
  t.ok(count('info: serves ') <= 3, `${count('info: serves ')} keepers have served`)
  t.equal(here.servers().length, 2)
})

t.test('a service starts beside 50 processes that never pause', options, async t => {
  const here = site(t)
  const busy = CpuLimit.make(t, 'procveil-busy')
  const own = CpuLimit.make(t, 'procveil-beside')
  const loops = Array.from({ length: 50 }, () =>
    execa('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore', reject: false, timeout: 20_000 }),
  )
  t.teardown(() => {
    for (const loop of loops) loop.kill('SIGKILL')
  })
  for (const { pid } of loops) busy.add(Number(pid))
  const startMs = performance.now()
  const service = execa(here.executable, [...here.options, 'serve'], {
    stdio: 'ignore',
    reject: false,
  })
  own.add(Number(service.pid))
  await retry(() => {
    if (!here.readLog().includes('info: serves ')) throw new Error('Cannot see it serve')
  }, START_MS)
  t.comment(`it serves after ${Math.round(performance.now() - startMs)} ms`)
  for (const loop of loops) loop.kill('SIGKILL')
  await Promise.all(loops)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.match(await box.cat('/proc/meminfo'), /MemTotal: +65536 kB/)
  t.notMatch(here.readLog(), 'is replaced')
})
