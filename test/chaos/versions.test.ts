/** An earlier version goes over to this one, and back: what they hand over is understood both ways. */

import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { buildRelease, needsRelease } from '../kit/release.ts'
import { needs } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'
import { disturb, isUnnoticed } from './disturb.ts'
import { installCopy, ownSite } from './install.ts'
import { UNHURRIED } from './load.ts'

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
  const { failed, wrong } = await disturb(t, here, { ...once, act })
  t.strictSame(failed, [], 'no read failed')
  const others = wrong.filter(each => !each.startsWith('a counter went back'))
  t.strictSame(others, [], 'no text was short or mixed')
})

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
