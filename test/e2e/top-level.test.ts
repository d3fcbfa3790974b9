/** Files at the top of the mount, bound by hand as for lxcfs (`-v /var/lib/lxc/lxcfs/proc/meminfo:/proc/meminfo`). */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { bindMount } from '../kit/runc-config.ts'
import { type Site, site } from '../kit/site.ts'

const FILES = ['meminfo', 'cpuinfo', 'stat', 'uptime']

async function serving(t: Test): Promise<Site> {
  const here = site(t)
  const serve = execa(here.executable, [...here.options, 'serve'], { reject: false })
  t.teardown(async () => {
    serve.kill('SIGTERM')
    await serve
  })
  await retry(async () => {
    const { exitCode } = await here.procveil(['check-lxcfs'])
    if (exitCode !== 0) throw new Error('Cannot go on: it does not serve yet')
  })
  return here
}

const binds = (here: Site) =>
  FILES.map(name => bindMount(`${here.mountPoint}/proc/${name}`, `/proc/${name}`))

t.test('each container without a hook sees itself', needs('runc'), async t => {
  const here = await serving(t)
  const [small, large] = await Promise.all([
    started(t, here, 'top-small', {
      stages: [],
      memoryBytes: 2 ** 26,
      cpus: '0',
      mounts: binds(here),
    }),
    started(t, here, 'top-large', { stages: [], memoryBytes: 2 ** 27, mounts: binds(here) }),
  ])
  const total = 'head -n 1 /proc/meminfo'
  t.match(await small.sh(total), / 65536 kB/)
  t.match(await large.sh(total), / 131072 kB/)
  t.equal(await small.sh('grep -c ^processor /proc/cpuinfo'), '1')
  t.equal(await small.sh('grep -c ^cpu[0-9] /proc/stat'), '1')
  t.match(await small.sh('cat /proc/uptime'), /^\d{1,2}\.\d\d /)
  await small.update('--memory', String(2 ** 25))
  t.match(await small.sh(total), / 32768 kB/, 'which follows its limits')
  t.strictSame(here.registered(), [])
})

t.test('the host sees the host, and a hooked container itself', needs('runc'), async t => {
  const here = await serving(t)
  const box = await started(t, here, 'top-hooked', { memoryBytes: 2 ** 26 })
  const top = readFileSync(`${here.mountPoint}/proc/meminfo`, 'utf8')
  t.match(top, new RegExp(`^MemTotal: +${HOST_KIB} kB`))
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
})

t.test('metrics for the host', needs('runc'), async t => {
  const here = await serving(t)
  const box = await started(t, here, 'top-counted', { memoryBytes: 2 ** 26 })
  await box.cat('/proc/meminfo')
  const text = readFileSync(`${here.mountPoint}/metrics/procveil.prom`, 'utf8')
  t.match(text, /^procveil_containers 1$/m)
  t.match(text, /^procveil_reads_total\{file="proc\/meminfo"\} [1-9]/m)
  t.match(text, /^procveil_servers_total 1$/m)
  process.kill(here.find('server') ?? 0, 'SIGKILL')
  t.match(
    readFileSync(`${here.mountPoint}/metrics/procveil.prom`, 'utf8'),
    /^procveil_servers_total 2$/m,
  )
})
