/** Who reads does not notice that a process of ours is killed, or that the service goes over to another executable. */

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { signal } from '../../chaos/disturb.ts'
import { installCopy, ownSite } from '../../chaos/install.ts'
import { needs, retry } from '../../kit/requirements.ts'
import type { Site } from '../../kit/site.ts'
import { type Container, launch, MiB } from '../container.ts'

const READERS = 4
/** Between two passes of a reader: an emulated machine has no CPU time for more. */
const PAUSE_MS = 20
/** How long a killed process may take to be replaced there. */
const REPLACED_MS = 60_000

class Readers {
  passes = 0
  readonly failed: string[] = []
  readonly wrong: string[] = []
  #isOver = false
  readonly #all: Promise<void>[]

  constructor(root: string, memoryBytes: number) {
    const memTotal = new RegExp(`^MemTotal: +${memoryBytes / 1024} kB\n`)
    this.#all = Array.from({ length: READERS }, () => this.#read(root, memTotal))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#all)
  }

  /** Returns when each of them has read on. */
  async more(): Promise<void> {
    const before = this.passes
    await retry(() => {
      if (this.passes < before + 2 * READERS) throw new Error('Cannot go on: nobody reads')
    }, REPLACED_MS)
  }

  async #read(root: string, memTotal: RegExp): Promise<void> {
    let last: number[] = []
    while (!this.#isOver) {
      try {
        const meminfo = await readFile(`${root}/proc/meminfo`, 'utf8')
        const stat = await readFile(`${root}/proc/stat`, 'utf8')
        const uptime = await readFile(`${root}/proc/uptime`, 'utf8')
        if (!memTotal.test(meminfo)) this.wrong.push(meminfo)
        const [cpu = ''] = stat.split('\n')
        const counters = [...cpu.split(/ +/).slice(1), ...uptime.split(' ')].map(Number)
        if (counters.some((value, i) => !(value >= (last[i] ?? 0)))) {
          this.wrong.push(`${last.join(' ')} then ${counters.join(' ')}`)
        }
        last = counters
      } catch (error) {
        this.failed.push(String(error))
      }
      this.passes++
      await sleep(PAUSE_MS)
    }
  }
}

interface Stage {
  here: Site
  box: Container
  readers: Readers
}

/** A container whose files are read, and the check of what the readers have seen. */
async function underReaders(t: Test, act: (stage: Stage) => Promise<void>): Promise<void> {
  const here = ownSite(t)
  const memoryBytes = 64 * MiB
  const box = await launch(t, here, 'runc', 'read', { memoryBytes })
  const readers = new Readers(`/proc/${await box.pid()}/root`, memoryBytes)
  try {
    await readers.more()
    await act({ here, box, readers })
    await readers.more()
  } finally {
    await readers.stop()
  }
  const { failed, wrong, passes } = readers
  t.comment(`${passes} passes`)
  t.strictSame(failed, [], 'no read failed')
  t.strictSame(wrong, [], 'no text is of another container, and no counter behind what it was')
}

async function replaced(here: Site, command: 'serve' | 'server', pid: number | undefined) {
  await retry(() => {
    const now = here.find(command)
    if (now === undefined || now === pid) throw new Error(`Cannot find another ${command}`)
  }, REPLACED_MS)
}

for (const [command, times] of [
  ['server', 3],
  ['serve', 2],
] as const) {
  t.test(`the process ${command} is killed`, needs('runc'), t =>
    underReaders(t, async ({ here, readers }) => {
      for (let i = 0; i < times; i++) {
        const pid = here.find(command)
        t.ok(signal(here, command, 'SIGKILL'))
        await replaced(here, command, pid)
        await readers.more()
      }
    }),
  )
}

t.test('the executable is exchanged', needs('runc'), t =>
  underReaders(t, async ({ here, readers }) => {
    const pid = here.find('server')
    installCopy(here)
    const { exitCode, stderr } = await here.procveil(['upgrade'])
    t.equal(exitCode, 0, stderr)
    await replaced(here, 'server', pid)
    await readers.more()
  }),
)

t.test('both are killed, and remount heals', needs('runc'), async t => {
  const here = ownSite(t)
  const box = await launch(t, here, 'runc', 'read', { memoryBytes: 64 * MiB })
  await here.killServers()
  t.match(await box.sh('cat /proc/meminfo 2>&1 || true'), 'not connected')
  const { stdout, stderr } = await here.procveil(['remount', '-c', 'read'])
  t.match(stdout, '1 attached', stderr)
  t.match(await box.sh('cat /proc/meminfo'), /^MemTotal: +65536 kB/)
})
