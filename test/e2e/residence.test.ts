/** Where the processes that a hook starts live on. */

import { mkdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { cgroupsOf, withinCgroups } from '../kit/cgroups.ts'
import { needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

t.test('not with the runtime that ran the hook', needs('unshare'), async t => {
  const here = site(t)
  const cgroups = [...new Set(cgroupsOf(process.pid))].map(path => join(path, 'procveil-caller'))
  for (const path of cgroups) mkdirSync(path)
  t.teardown(() =>
    retry(() => {
      for (const path of cgroups) rmdirSync(path)
    }),
  )
  // A cpuset without CPUs takes no process: it gets those of the one above it.
  const cpusets = cgroups.filter(path => path.includes('cpuset'))
  for (const path of cpusets) {
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      await execa('sh', ['-c', `cat ${path}/../${name} >${path}/${name}`])
    }
  }
  const state = { id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' }
  const [program = '', ...args] = withinCgroups(cgroups)
  const hook = [...args, here.executable, ...here.options, 'hook']
  const { stdout } = await execa(program, hook, { input: JSON.stringify(state), timeout: 20_000 })
  t.equal(stdout, '')
  t.equal(here.servers().length, 2)
  for (const pid of here.servers()) {
    t.notMatch(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), 'procveil-caller')
    t.equal(readlinkSync(`/proc/${pid}/fd/0`), '/dev/null')
    t.notMatch(readlinkSync(`/proc/${pid}/fd/2`), 'pipe:', 'the pipes are not the hook’s')
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]
    t.equal(Number(session), here.find('serve'), 'a session of its own')
    t.equal(readlinkSync(`/proc/${pid}/cwd`), '/')
  }
})
