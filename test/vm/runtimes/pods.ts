/** The newest containerd of Debian, which has NRI switched on: pods always start, and have their view where the service is. */

import { existsSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { retry } from '../../kit/requirements.ts'
import { dpkg, HOST, OWN, PROCVEIL, run, servingVersion, traces } from '../packages/machine.ts'
import { importImages, Pod, runInPod } from '../packages/pod.ts'

const VERSION = process.env.PROCVEIL_VERSION ?? ''
const EARLIER = '0.1.0'
const FILE = '/etc/containerd/config.toml'
const SWITCHED_OFF = '\n[plugins."io.containerd.nri.v1.nri"]\n  disable = true\n'
const SOCKET = '/run/nri/nri.sock'
const PODS = '/sys/fs/cgroup/k8s.io'
const LOOK = ['/bin/grep', 'MemTotal', '/proc/meminfo']
/** The machine is emulated, and slow. */
const LATE_MS = 240_000

t.setTimeout(0)
t.afterEach(test => {
  if (!test.passing()) test.comment(run('journalctl', '--unit', 'procveil', '--lines', '100'))
})

const words = (line: string) => line.trim().replace(/\s+/g, ' ')
const total = (mebibytes: number) => `MemTotal: ${mebibytes * 1024} kB`
const look = async () => words(await runInPod(LOOK))

/** The plugin connects a moment after the service or the runtime has started. Each pod until then has to start. */
async function untilOwn(): Promise<void> {
  const deadline = Date.now() + LATE_MS
  for (;;) {
    const seen = await look()
    if (seen === OWN) return
    if (Date.now() > deadline) throw new Error(`Cannot see a pod with its own: it sees ${seen}`)
  }
}

const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : undefined
dpkg.install(EARLIER, 'procveil')
t.teardown(async () => {
  run('systemctl', 'stop', 'containerd.service')
  if (before === undefined) rmSync(FILE, { force: true })
  else writeFileSync(FILE, before)
  if (traces().length > 0) dpkg.erase()
  // containerd leaves the cgroup that it puts pods into, which has some of a pod's until all its processes are gone.
  if (existsSync(PODS)) await retry(() => rmdirSync(PODS), 10_000)
})
const seenByWatched = async () => words(await watched.exec(reader, LOOK))

/** Runs and reads until the end, through all that is done to the service and the runtime. */
let watched: Pod
let reader: string

t.test('NRI is configured', async t => {
  await restartContainerd()
  importImages()
  t.equal(await look(), HOST)
  run(PROCVEIL, 'configure', 'nri', '--set-as-default', '--restart')
  await untilOwn()
  watched = await Pod.start({ name: 'watched' })
  const script = `while :; do
    for file in meminfo stat cpuinfo uptime; do cat /proc/$file >/dev/null 2>>/failed; done
    echo >>/rounds; usleep 100000
  done`
  reader = await watched.add('reader', 64, ['/bin/sh', '-c', script])
})

t.test('each container of a pod has its own', async t => {
  const pod = await Pod.start({ name: 'several' })
  t.teardown(() => pod.remove())
  t.equal(words(await pod.runToEnd('init', 32, LOOK)), total(32), 'an init container')
  const first = await pod.add('first', 64)
  const second = await pod.add('second', 96, [
    '/bin/sh',
    '-c',
    'cat /proc/meminfo >/seen; sleep 9999',
  ])
  t.equal(words(await pod.exec(first, LOOK)), total(64), 'exec')
  t.equal(words(await pod.exec(second, LOOK)), total(96))
  t.equal(words(await pod.exec(second, ['/bin/grep', 'MemTotal', '/seen'])), total(96), 'at once')
  t.equal(words(await pod.runToEnd('ephemeral', 48, LOOK)), total(48), 'one that is added later')
})

t.test('a pod says otherwise by its annotations', async t => {
  const options = { annotations: { 'io.procveil.enabled': 'off' } }
  t.equal(words(await runInPod(LOOK, options)), HOST)
  const loads = ['/bin/cat', '/proc/loadavg']
  t.notOk(isOfHost(await runInPod(loads)))
  t.ok(isOfHost(await runInPod(loads, { annotations: { 'io.procveil.loadavg': 'off' } })))
})

/** A pod of two processes counts no 60 threads, and the machine has more. */
const isOfHost = (loadavg: string) => Number(loadavg.split(/[ /]/)[4]) > 60

t.test('a service that is killed', async t => {
  run('systemctl', 'kill', '--signal=KILL', 'procveil.service')
  t.match(await look(), /^MemTotal: /, 'a pod starts')
  t.equal(await seenByWatched(), OWN)
  await untilOwn()
  run('systemctl', 'stop', 'procveil.service')
  t.match(await look(), /^MemTotal: /, 'a pod starts without a service')
  t.equal(await seenByWatched(), HOST)
  run('systemctl', 'start', 'procveil.service')
  t.equal(await seenByWatched(), OWN, 'and those that ran have their files back')
  await untilOwn()
})

t.test('an upgrade while pods start', async t => {
  t.equal(servingVersion(), EARLIER)
  let isOver = false
  const seen: string[] = []
  const starting = (async () => {
    while (!isOver) seen.push(await look())
  })()
  await new Promise(resolve => setTimeout(resolve, 1000))
  dpkg.install(VERSION, 'procveil')
  await retry(() => {
    if (servingVersion() !== VERSION) throw new Error(`Cannot see it: ${servingVersion()} serves`)
  }, LATE_MS)
  isOver = true
  await starting
  t.comment(`pods of the upgrade saw: ${seen.join('; ')}`)
  t.equal(await seenByWatched(), OWN)
  await untilOwn()
})

t.test('the socket goes, and comes back', async t => {
  await restartContainerd(SWITCHED_OFF)
  // containerd leaves it behind, and nobody listens.
  rmSync(SOCKET)
  t.equal(await look(), HOST)
  await restartContainerd()
  await untilOwn()
})

t.test('a pod that ran through all this', async t => {
  const read = (path: string) => watched.exec(reader, ['/bin/cat', path])
  const rounds = async () => (await read('/rounds')).length
  const earlier = await rounds()
  await retry(async () => {
    if ((await rounds()) < earlier + 2) throw new Error('Cannot see it read')
  }, LATE_MS)
  t.equal(await read('/failed'), '')
  t.equal(await seenByWatched(), OWN)
  await watched.remove()
})

t.test('nothing is left of the package', async t => {
  dpkg.erase()
  t.strictSame(traces(), [])
})

async function restartContainerd(more = ''): Promise<void> {
  if (before === undefined && more === '') rmSync(FILE, { force: true })
  else writeFileSync(FILE, `${before ?? 'version = 3\n'}${more}`)
  run('systemctl', 'restart', 'containerd.service')
  await retry(() => run('ctr', 'version'), LATE_MS)
}
