/** An earlier version goes over to this one, and back: what they hand over is understood both ways. */

import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import t, { type Test } from 'tap'
import { buildRelease, needsRelease } from '../kit/release.ts'
import { needs, skipFor } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'
import { disturb, isUnnoticed, signal } from './disturb.ts'
import { installCopy, ownSite } from './install.ts'
import { type Seen, UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...needsRelease('0.1.0'), ...UNHURRIED }

const once = { times: 1, everyMs: 1000 }

t.test('0.1.0 goes over to this version, unnoticed', options, async t => {
  const here = ownSite(t, buildRelease(t, '0.1.0'))
  isUnnoticed(t, await disturb(t, here, { ...once, act: () => goOver(t, here) }))
  t.notOk(existsSync(`${here.runDirectory}/state`), 'what it had written down is taken over')
})

t.test('this version goes over to 0.1.0, which counts anew', options, async t => {
  const earlier = buildRelease(t, '0.1.0')
  const here = ownSite(t)
  const act = () => goOver(t, here, earlier)
  losesNothing(t, await disturb(t, here, { ...once, act }))
})

const killing = { ...options, ...needsResend() }

t.test('servers of both versions are killed before and after', killing, async t => {
  const earlier = buildRelease(t, '0.1.0')
  const here = ownSite(t, earlier)
  const kill = () => signal(here, 'server', 'SIGKILL')
  const steps = [
    ...[kill, () => goOver(t, here), kill, kill, () => goOver(t, here, earlier)],
    ...[kill, () => goOver(t, here), kill],
  ]
  const act = () => steps.shift()?.() ?? false
  losesNothing(t, await disturb(t, here, { times: steps.length, everyMs: 1000, act }))
})

/** That nobody has noticed anything, but that 0.1.0 does not know what others have counted. */
function losesNothing(t: Test, { failed, wrong }: Seen): void {
  t.strictSame(failed, [], 'no read failed')
  const others = wrong.filter(each => !each.startsWith('a counter went back'))
  t.strictSame(others, [], 'no text was short or mixed')
}

/** The kernel sends what a server of 0.1.0 has read again, or its readers fail. */
function needsResend(): { skip?: string } {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const isMissing = major < 6 || (major === 6 && minor < 9)
  return skipFor(isMissing ? 'needs Linux 6.9' : undefined)
}

async function goOver(t: Test, here: Site, executable?: string): Promise<boolean> {
  installCopy(here, executable)
  const { exitCode, stdout, stderr } = await here.procveil(['upgrade'])
  t.equal(exitCode, 0, stderr)
  t.match(stdout, 'handed over')
  t.ok(runsInstalled(here), 'both processes are of the version that is installed')
  return true
}

function runsInstalled(here: Site): boolean {
  const installed = readFileSync(here.executable)
  return (['serve', 'server'] as const).every(command =>
    readFileSync(`/proc/${here.find(command)}/exe`).equals(installed),
  )
}
