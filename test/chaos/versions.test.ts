/** An earlier version goes over to this one, and back: what they hand over is understood both ways. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildRelease, needsRelease } from '../kit/release.ts'
import { needs } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { disturb, isUnnoticed } from './disturb.ts'
import { installCopy, ownSite } from './install.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...needsRelease('0.1.0'), ...UNHURRIED }

t.test('0.1.0 goes over to this version and back, unnoticed', options, async t => {
  const earlier = buildRelease(t, '0.1.0')
  const here = ownSite(t, earlier)
  const goOver = async (executable?: string) => {
    installCopy(here, executable)
    const { exitCode, stdout, stderr } = await here.procveil(['upgrade'])
    t.equal(exitCode, 0, stderr)
    t.match(stdout, 'handed over')
    t.ok(runsInstalled(here), 'both processes are of the version that is installed')
  }
  const seen = await disturb(t, here, {
    times: size({ short: 1, long: 3 }),
    everyMs: 1000,
    act: async () => {
      await goOver()
      await goOver(earlier)
      return true
    },
  })
  isUnnoticed(t, seen)
})

function runsInstalled(here: Site): boolean {
  const installed = readFileSync(here.executable)
  return (['serve', 'server'] as const).every(command =>
    readFileSync(`/proc/${here.find(command)}/exe`).equals(installed),
  )
}
