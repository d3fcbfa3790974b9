/** A container that makes cgroups of its own below the one it was given, as systemd does in one. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { needs, retry } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { countCpus, cpus, launch, MiB, RUNTIMES, read } from '../container.ts'

const INIT =
  'mkdir /sys/fs/cgroup/inner && echo 0 > /sys/fs/cgroup/inner/cgroup.procs; exec sleep 100000'

for (const runtime of RUNTIMES) {
  const program = runtime.split(' ').at(-1) ?? runtime
  t.test(`an init that moves to a cgroup below, under ${runtime}`, needs(program), async t => {
    const here = site(t)
    const box = await launch(t, here, runtime, 'nested', {
      memoryBytes: 256 * MiB,
      quotaUsec: 200_000,
      writableCgroup: true,
      command: ['sh', '-c', INIT],
    })
    const state = await box.state()
    await retry(() => {
      const path = readFileSync(`/proc/${state.pid}/cgroup`, 'utf8')
      if (!/^0::\/.+\/inner$/m.test(path)) throw new Error(`Cannot go on: it is in ${path}`)
    })
    const check = async (when: string) => {
      const [meminfo, uptime = ''] = await read(box, '/proc/meminfo', '/proc/uptime')
      t.match(meminfo, /^MemTotal: +262144 kB$/m, when)
      t.ok(Number.parseFloat(uptime) < 120)
      t.strictSame(await countCpus(box), cpus(2), when)
    }
    await check('by what was registered')
    t.equal((await here.hook(state, '--strict')).exitCode, 0)
    await check('also after a hook that finds it there')
  })
}
