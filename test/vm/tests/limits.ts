/** Limits of cgroup v2: the container's own, those of the cgroup above it, and changes while it runs. */

import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { needs, retry } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { ALL_RUNTIMES, type Container, countCpus, cpus, launch, MiB, read } from '../container.ts'

const HOST_SWAP_KIB = 1048572

async function sizes(container: Container) {
  const [meminfo = '', swaps = ''] = await read(container, '/proc/meminfo', '/proc/swaps')
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1])
  const rows = swaps.split('\n').slice(1, -1)
  return {
    memTotal: kib('MemTotal'),
    swapTotal: kib('SwapTotal'),
    rows: rows.map(row => row.split(/\s+/).slice(0, 3).join(' ')),
  }
}

const shown = (memTotal: number, swapTotal: number) => ({
  memTotal,
  swapTotal,
  rows: swapTotal === 0 ? [] : [`none virtual ${swapTotal}`],
})

/** podman leaves the cgroup of its monitor there, empty. */
function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(`${path}/${entry.name}`)
  }
  rmdirSync(path)
}

for (const runtime of ALL_RUNTIMES) {
  const program = runtime.split(' ').at(-1) ?? runtime
  t.test(`memory.max, memory.swap.max and cpu.max under ${runtime}`, needs(program), async t => {
    const here = site(t)
    const limits = { memoryBytes: 256 * MiB, swapBytes: 128 * MiB, quotaUsec: 150_000 }
    const box = await launch(t, here, runtime, 'limited', limits)
    t.strictSame(await sizes(box), shown(256 * 1024, 128 * 1024))
    t.strictSame(await countCpus(box), cpus(2), 'one and a half CPUs are two')
    t.match(await box.sh('cat /proc/meminfo'), /^MemTotal: +262144 kB$/m, 'read inside')

    await box.update({ memoryBytes: 128 * MiB, swapBytes: 64 * MiB, quotaUsec: 50_000 })
    t.strictSame(await sizes(box), shown(128 * 1024, 64 * 1024), 'after an update')
    t.strictSame(await countCpus(box), cpus(1), 'half a CPU is one')
    await box.update({ cpus: '1-3', quotaUsec: 400_000 })
    t.strictSame(await countCpus(box), cpus(3), 'a cpuset of three')
    await box.update({ memoryBytes: 128 * MiB, swapBytes: 0 })
    t.strictSame(await sizes(box), shown(128 * 1024, 0), 'no swap allowed')

    await box.remove()
    t.strictSame(here.registered(), [], 'it is forgotten when it stopped')
  })

  t.test(`limits of the cgroup above count under ${runtime}`, needs(program), async t => {
    const here = site(t)
    const parent = `/shelf-${runtime.replaceAll(' ', '-')}`
    const shelf = `/sys/fs/cgroup${parent}`
    mkdirSync(shelf)
    t.teardown(() => retry(() => removeCgroup(shelf)))
    const box = await launch(t, here, runtime, 'shelved', {
      parent,
      memoryBytes: 256 * MiB,
      swapBytes: 256 * MiB,
    })
    t.strictSame(await sizes(box), shown(256 * 1024, 256 * 1024))
    t.strictSame(await countCpus(box), cpus(4))
    writeFileSync(`${shelf}/memory.max`, String(96 * MiB))
    writeFileSync(`${shelf}/memory.swap.max`, String(32 * MiB))
    writeFileSync(`${shelf}/cpu.max`, '300000 100000')
    t.strictSame(await sizes(box), shown(96 * 1024, 32 * 1024), 'smaller ones above win')
    t.strictSame(await countCpus(box), cpus(3))
    writeFileSync(`${shelf}/memory.max`, String(512 * MiB))
    writeFileSync(`${shelf}/memory.swap.max`, 'max')
    t.strictSame(await sizes(box), shown(256 * 1024, 256 * 1024), 'larger ones do not')
    await box.remove()
  })
}

t.test('without limits the swap is all of the host', needs('runc'), async t => {
  const box = await launch(t, site(t), 'runc', 'free')
  t.equal((await sizes(box)).swapTotal, HOST_SWAP_KIB)
})
