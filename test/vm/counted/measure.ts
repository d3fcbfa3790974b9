/**
 * The bench's part `fleet` in a guest, compiled into a program: `measure DIRECTORY JSON`, where DIRECTORY has our
 * executable and the program `fleet`. Samples go to JSON.
 */

import { release } from 'node:os'
import { join } from 'node:path'
import { fleet } from '../../bench/fleet.ts'
import { Report } from '../../bench/report.ts'
import { Setup } from '../../bench/setup.ts'

/** By then all code is compiled that is worth it: the one CPU of the guest has nothing beside to do that on. */
const WARM_UP_READS = 8000

const [, , directory = '', json = ''] = process.argv
const report = new Report()
const setup = new Setup({ fleet: join(directory, 'fleet') })
setup.site.executable = join(directory, 'procveil')
try {
  await fleet(setup, report, { isQuick: true, mostContainers: 300, warmUpReads: WARM_UP_READS })
  report.save(json, { kernel: release() })
} finally {
  await setup.clear()
}
