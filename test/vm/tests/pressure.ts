/** Pressure of a container is that of its cgroup. */

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { needs, retry } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { cgroupOf, launch, MiB, RUNTIMES, read } from '../container.ts'

const RESOURCES = ['cpu', 'io', 'memory'] as const
const LINE = 'avg10=\\d+\\.\\d\\d avg60=\\d+\\.\\d\\d avg300=\\d+\\.\\d\\d total=\\d+'
const TEXT = new RegExp(`^some ${LINE}\nfull ${LINE}\n$`)

for (const runtime of RUNTIMES) {
  const program = runtime.split(' ').at(-1) ?? runtime
  t.test(`/proc/pressure under ${runtime}`, needs(program), async t => {
    const limits = { quotaUsec: 20_000, memoryBytes: 128 * MiB }
    const box = await launch(t, site(t), runtime, 'pressed', limits)
    const cgroup = await cgroupOf(box)
    const root = `/proc/${await box.pid()}/root`
    await box.sh('timeout 1 sh -c "while :; do :; done" || true')

    for (const resource of RESOURCES) {
      const [inside] = await read(box, `/proc/pressure/${resource}`)
      t.match(inside, TEXT, `${resource} has the kernel's form`)
      // Read from outside, so that reading adds no pressure; averages go down every two seconds.
      const both = await retry(() => {
        const kernel = readFileSync(`${cgroup}/${resource}.pressure`, 'utf8')
        const seen = readFileSync(`${root}/proc/pressure/${resource}`, 'utf8')
        const again = readFileSync(`${cgroup}/${resource}.pressure`, 'utf8')
        if (kernel !== again) throw new Error(`Cannot compare: ${kernel} became ${again}`)
        return { kernel, seen }
      })
      t.equal(both.seen, both.kernel, `${resource} is the cgroup's`)
    }
    const cpu = readFileSync(`${root}/proc/pressure/cpu`, 'utf8')
    t.ok(Number(/total=(\d+)/.exec(cpu)?.[1]) > 0, 'a quota that is used up is pressure')
    t.not(cpu, readFileSync('/proc/pressure/cpu', 'utf8'), "not the host's")

    const irq = existsSync('/proc/pressure/irq')
    const mounts =
      readFileSync(`/proc/${await box.pid()}/mounts`, 'utf8').match(
        /^lxcfs \/proc\/pressure\/\w+/gm,
      ) ?? []
    t.equal(mounts.length, irq ? 4 : 3)
    await t.rejects(box.sh('echo some 150000 1000000 > /proc/pressure/cpu'), 'no triggers')
  })
}
