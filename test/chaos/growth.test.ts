/** Nothing grows with the number of containers that came and went, or with the number of reads. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { BOUND } from '../kit/files.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

interface Size {
  descriptors: number
  threads: number
  anonymousKib: number
}

/** Of both of our processes. */
function measure(here: Site): Size {
  const size = { descriptors: 0, threads: 0, anonymousKib: 0 }
  for (const pid of here.servers()) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    size.descriptors += readdirSync(`/proc/${pid}/fd`).length
    size.threads += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1])
    size.anonymousKib += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1])
  }
  return size
}

/** Paths below the run directory. */
const filesOf = (here: Site) =>
  readdirSync(here.runDirectory, { recursive: true }).map(String).sort()

/** A server that was just started rehearses when nobody reads, with files of its own. */
async function untilRehearsed(here: Site): Promise<void> {
  await sleep(1000)
  await retry(() => {
    if (existsSync(`${here.runDirectory}/rehearsal`)) throw new Error('Cannot go on: it rehearses')
  })
}

function isFlat(t: Test, before: Size, after: Size, roomKib: number): void {
  t.comment(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`)
  t.ok(after.descriptors <= before.descriptors + 2, 'no descriptor is left open')
  // The run time starts and ends its own as it likes: some five in each process.
  t.ok(after.threads <= before.threads + 8, 'threads')
  t.ok(after.anonymousKib < before.anonymousKib + roomKib, 'memory')
}

t.test('containers come and go', options, async t => {
  const here = site(t)
  const times = size({ short: 6, long: 25, full: 1000 })
  const first = await started(t, here, 'growth')
  await first.cat('/proc/meminfo')
  const one = async (i: number) => {
    const box = await started(t, here, `come-and-go${i}`, { memoryBytes: 2 ** 27 })
    await box.sh('cat /proc/meminfo /proc/stat /proc/loadavg /proc/diskstats >/dev/null')
    await box.remove()
  }
  for (let i = 0; i < size({ short: 4, long: 10 }); i++) await one(i)
  await untilRehearsed(here)
  const [before, files] = [measure(here), filesOf(here)]
  for (let i = 0; i < times; i++) await one(i)
  // Its memory is given back when there is need of it: it must be far less than a whole view for each.
  isFlat(t, before, measure(here), 20 * 1024)
  const metrics = readFileSync(`${here.mountPoint}/metrics/procveil.prom`, 'utf8')
  const views = Number(/^procveil_views (\d+)$/m.exec(metrics)?.[1])
  t.ok(views <= 2, `${views} views are left`)
  t.strictSame(
    filesOf(here).filter(name => !name.endsWith('.lock')),
    files.filter(name => !name.endsWith('.lock')),
  )
  t.strictSame(here.hostMounts(), [here.mountPoint])
})

t.test('reads without end', options, async t => {
  const here = site(t)
  const box = await started(t, here, 'growth', { memoryBytes: 2 ** 27 })
  const files = BOUND.map(file => `${here.mountPoint}/containers/${box.id}${file}`)
  const read = (count: number) => {
    for (let i = 0; i < count; i++) readFileSync(files[i % files.length] ?? '')
  }
  read(size({ short: 1000, long: 5000, full: 20_000 }))
  await untilRehearsed(here)
  const before = measure(here)
  const reads = size({ short: 5000, long: 10_000, full: 1_000_000 })
  read(reads)
  t.comment(`${reads} reads`)
  isFlat(t, before, measure(here), 20 * 1024)
  t.strictSame(readdirSync(`${here.runDirectory}/texts`), [])
})
