/** What many containers cost that are all read, on cgroup v2: there memory.stat makes the kernel add up its counters. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { temporary } from '../../kit/temporary.ts'

const PROGRAMS = '/share/dist'

/** It may be less: with more containers there is less time for all to get cold. */
const MOST = 1.2

interface Sample {
  target: 'procveil' | 'lxcfs'
  containers: number
  made: number
  errors: number
  replaced: number
  cpuUsec: number
}

t.test('a read costs no more where there are more containers', async t => {
  const json = join(temporary(t, 'procveil-fleet-'), 'fleet.json')
  const { stdout } = await execa(join(PROGRAMS, 'measure'), [PROGRAMS, json])
  for (const line of stdout.split('\n')) t.comment(line)
  const { samples } = JSON.parse(readFileSync(json, 'utf8')) as { samples: Sample[] }
  const ours = samples.filter(({ target }) => target === 'procveil')
  const cpuUsec = new Map(ours.map(each => [each.containers, each.cpuUsec]))
  t.strictSame([...cpuUsec.keys()], [10, 100, 300])
  for (const { containers, made, errors, replaced } of ours) {
    t.strictSame({ errors, replaced }, { errors: 0, replaced: 0 }, `N = ${containers}`)
    t.ok(made > 0.99, `${made} of the reads were made`)
  }
  const ratio = (cpuUsec.get(300) ?? Number.NaN) / (cpuUsec.get(10) ?? 0)
  t.ok(ratio <= MOST, `N = 300 against N = 10: ${ratio}`)
})
