/** The newest docker of Debian: own values at the first instruction, by the default runtime and by CDI. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { retry } from '../../kit/requirements.ts'
import { dpkg, HOST, OWN, PROCVEIL, Reader, run, traces } from '../packages/machine.ts'
import { IMAGE } from '../podman.ts'

const VERSION = process.env.PROCVEIL_VERSION ?? ''
const FILE = '/etc/docker/daemon.json'
const REGISTERED = '/run/procveil/containers'
const LIMITED = ['--network', 'none', '--memory', '64m']
const LOOK = ['/bin/grep', 'MemTotal', '/proc/meminfo']
/** The machine is emulated, and slow. */
const LATE_MS = 240_000

/** How an administrator gives containers the hook, and what a user types then. */
const WAYS = [
  { way: 'the default runtime', options: ['--set-as-default'], flags: [] },
  { way: 'CDI', options: [], flags: ['--device', 'procveil.io/proc=view'] },
]

t.setTimeout(0)

const docker = (...args: string[]) => run('docker', ...args)
const words = (line: string) => line.trim().replace(/\s+/g, ' ')
const look = (...flags: string[]) =>
  words(docker('run', '--rm', ...LIMITED, ...flags, IMAGE, ...LOOK))
const seenBy = (name: string) => words(docker('exec', name, ...LOOK))
const restartDocker = (...args: string[]) => {
  run('systemctl', ...(args.length > 0 ? args : ['restart', 'docker.service']))
  return retry(() => docker('version'), LATE_MS)
}

dpkg.install(VERSION, 'procveil')
t.teardown(() => {
  run('systemctl', 'stop', 'docker.service', 'docker.socket', 'containerd.service')
  rmSync(FILE)
  rmSync(dropIn, { recursive: true })
  if (traces().length > 0) dpkg.erase()
})
// By default systemd refuses to start a unit more than three times within 60 s.
const dropIn = '/run/systemd/system/docker.service.d'
mkdirSync(dropIn, { recursive: true })
writeFileSync(`${dropIn}/often.conf`, '[Unit]\nStartLimitIntervalSec=0\n')
run('systemctl', 'daemon-reload')
const daemon = { iptables: false, bridge: 'none', 'live-restore': true }
writeFileSync(FILE, JSON.stringify(daemon))
await restartDocker()
docker('import', '/usr/share/vm/busybox.tar', IMAGE)
t.test('what is not configured sees the host', async t => {
  t.equal(look(), HOST)
})

for (const { way, options, flags } of WAYS) {
  t.test(way, async t => {
    run(PROCVEIL, 'configure', 'docker', ...options, '--restart')
    t.teardown(() => run(PROCVEIL, 'configure', 'docker', '--undo', '--restart'))
    await retry(() => docker('version'), LATE_MS)
    t.equal(look(...flags), OWN)
    t.equal(look(...flags, '--privileged'), OWN, '--privileged')
    t.equal(look(...flags, '--init', '--read-only', '--user', '1000'), OWN, 'an init of docker')
    t.strictSame(readdirSync(REGISTERED), [], 'what has ended is forgotten')
    await restartsByPolicy(t, flags)
    await lives(t, flags)
  })
}

/** As `restart: always` of a compose file: each first program of each start sees its own. */
async function restartsByPolicy(t: Test, flags: readonly string[]): Promise<void> {
  const command = ['sh', '-c', 'grep MemTotal /proc/meminfo; exit 1']
  const policy = ['--detach', '--restart', 'always', '--name', 'again']
  docker('run', ...policy, ...LIMITED, ...flags, IMAGE, ...command)
  const seen = await retry(() => {
    const lines = docker('logs', 'again').split('\n').map(words)
    if (lines.length < 4) throw new Error(`Cannot see it start again: ${lines.length} times`)
    return lines
  }, LATE_MS)
  docker('rm', '--force', 'again')
  t.strictSame([...new Set(seen)], [OWN], `${seen.length} starts`)
}

/** exec, update, restart, and a daemon that ends and comes back while the container runs. */
async function lives(t: Test, flags: readonly string[]): Promise<void> {
  const reader = new Reader('reader', 'docker', ...flags)
  t.teardown(() => reader.remove())
  t.equal(seenBy('reader'), OWN, 'docker exec')
  docker('update', '--memory', '32m', '--memory-swap', '64m', 'reader')
  t.equal(seenBy('reader'), 'MemTotal: 32768 kB', 'docker update')
  docker('restart', '--timeout', '0', 'reader')
  const pid = reader.find()
  t.equal(reader.memTotal(), 'MemTotal: 32768 kB', 'docker restart')
  docker('stop', '--timeout', '0', 'reader')
  docker('start', 'reader')
  const started = reader.find()
  t.not(started, pid)
  t.equal(seenBy('reader'), 'MemTotal: 32768 kB', 'docker start')
  await restartDocker()
  t.equal(reader.find(), started, 'it runs on')
  t.equal(seenBy('reader'), 'MemTotal: 32768 kB', 'with a daemon that was restarted')
  t.equal(look(...flags), OWN)
  await restartDocker('kill', '--signal=KILL', '--kill-whom=main', 'docker.service')
  t.equal(reader.find(), started)
  t.equal(seenBy('reader'), 'MemTotal: 32768 kB', 'with one that was killed')
  t.equal(await reader.failures(), '')
}

t.test('userns-remap', async t => {
  writeFileSync(FILE, JSON.stringify({ ...daemon, 'userns-remap': 'default' }))
  const before = readFileSync(FILE, 'utf8')
  t.teardown(() => writeFileSync(FILE, JSON.stringify(daemon)))
  run(PROCVEIL, 'configure', 'docker', '--set-as-default')
  run(PROCVEIL, 'configure', 'docker')
  await restartDocker()
  docker('import', '/usr/share/vm/busybox.tar', IMAGE)
  const map = words(docker('run', '--rm', ...LIMITED, IMAGE, 'cat', '/proc/self/uid_map'))
  t.match(map, /^0 \d{5,} 65536$/, 'its root is no root of the host')
  for (const { way, flags } of WAYS) t.equal(look(...flags), OWN, way)
  t.equal(look('--user', '1000'), OWN)
  t.equal(look('--userns', 'host', '--privileged'), OWN)
  run(PROCVEIL, 'configure', 'docker', '--undo')
  t.equal(readFileSync(FILE, 'utf8'), before, 'to the byte')
  await restartDocker()
  t.equal(look(), HOST)
})

t.test('nothing is left of the package', async t => {
  dpkg.erase()
  t.strictSame(traces(), [])
})
