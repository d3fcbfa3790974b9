/** Packages come and go on a machine under systemd, while containers read their files. */

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { retry } from '../../kit/requirements.ts'
import { IMAGE } from '../podman.ts'
import {
  dpkg,
  HOST,
  lookThrice,
  OWN,
  type PackageManager,
  PROCVEIL,
  Reader,
  rpm,
  run,
  servingVersion,
  traces,
} from './machine.ts'
import { startWithOldHooks } from './old-hook.ts'

const REMOUNTED_MS = 120_000

const NAMES = ['procveil', 'procveil-podman']
const EARLIER = '0.1.0'
const VERSION = process.env.PROCVEIL_VERSION ?? ''
const CONFIG = '/etc/procveil/config.json'
const CHANGED = '{ "loadavg": "off" }\n'

t.setTimeout(0)

for (const [name, manager] of Object.entries({ dpkg, rpm })) {
  t.test(name, async t => {
    t.strictSame(traces(), [], 'nothing of ours is there')
    // Also where a test fails: the next one starts on a clean machine.
    t.teardown(() => {
      if (traces().length > 0) manager.erase()
    })
    const early = new Reader('early')
    t.teardown(() => early.remove())
    manager.install(VERSION, ...NAMES)
    checkClean(t)
    t.equal(early.memTotal(), HOST, 'what runs already is left as it is')
    await runThrough(t, manager, early)
  })
}

t.test('containers that were created with the old package still start', async t => {
  startWithOldHooks(t, VERSION)
  t.strictSame(traces(), [])
})

/** After an installation and nothing else, podman's containers see their own memory, and nothing is to be mended. */
function checkClean(t: Test): void {
  const limit = ['--network', 'none', '--memory', '64m']
  const look = () =>
    run('podman', 'run', '--rm', ...limit, IMAGE, 'grep', 'MemTotal', '/proc/meminfo')
  const seen = lookThrice(look)
  t.equal(seen.at(-1), OWN, seen.join(', '))
  t.equal(run('systemctl', 'is-active', 'procveil.service'), 'active')
  t.equal(run('systemctl', 'is-enabled', 'procveil.service'), 'enabled')
  t.equal(run('systemd-analyze', 'verify', 'procveil.service'), '')
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  t.equal(mounts.filter(line => line.includes(' fuse.lxcfs ')).length, 1, 'one mount')
  const findings: { level: string; text: string }[] = JSON.parse(run(PROCVEIL, 'doctor', '--json'))
  // docker and containerd are there, too, and nobody has configured them.
  const expected = /^(docker|containerd): no |^1 see the host's files: early$/
  t.strictSame(
    findings.filter(({ level, text }) => level !== 'ok' && !expected.test(text)),
    [],
  )
}

/**
 * In an emulated machine a service may need longer to go over to another version than its package waits, which says so:
 * then the service is asked again.
 */
async function goneOver(version: string, said: string): Promise<void> {
  if (!/Cannot (see process|upgrade to)/.test(said)) return
  for (let tries = 0; tries < 3 && servingVersion() !== version; tries++) {
    await sleep(1000)
    try {
      run(PROCVEIL, 'upgrade')
    } catch {
      // It has not gone over in time.
    }
  }
}

async function runThrough(t: Test, manager: PackageManager, early: Reader): Promise<void> {
  const hooked = new Reader('hooked')
  t.teardown(() => hooked.remove())
  t.equal(hooked.memTotal(), OWN)
  writeFileSync(CONFIG, CHANGED)

  for (const version of [EARLIER, VERSION]) {
    const said = manager.install(version, ...NAMES)
    await goneOver(version, said)
    t.equal(servingVersion(), version, 'the service has gone over to it')
    t.equal(run(PROCVEIL, '--version'), `procveil ${version}`)
    t.equal(hooked.memTotal(), OWN)
    t.equal(readFileSync(CONFIG, 'utf8'), CHANGED, 'what was changed stays')
    t.equal(await hooked.failures(), '')
  }

  manager.erase()
  t.strictSame(traces(), [], 'nothing is left')
  t.equal(hooked.memTotal(), HOST)
  t.strictSame(hooked.mounts(), [])

  manager.install(VERSION, ...NAMES)
  // An rpm starts nothing; in an emulated machine a start takes longer than remount waits for systemd.
  run('systemctl', 'start', 'procveil.service')
  // And a worker may take longer to start there than remount waits for it.
  await retry(() => run(PROCVEIL, 'remount', '--all'), REMOUNTED_MS)
  for (const reader of [early, hooked]) t.equal(reader.memTotal(), OWN)
  manager.erase()
  for (const reader of [early, hooked]) {
    t.equal(reader.memTotal(), HOST)
    t.equal(await reader.failures(), '', 'no read has ever failed')
  }
  t.strictSame(traces(), [])
}
