/** How long `remount --all` takes on containers that have none of our files. */

import { join } from 'node:path'
import type { Box } from '../kit/box.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'

const SIZES = [1, 10, 100, 200]
const SIZES_QUICK = [1, 5]
const PASSES = 5

export async function remounts(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const other = await stage.another()
  const boxes: Box[] = []
  const rows = [['containers', 'remount --all, ms', 'umount --all, ms']]
  for (const size of effort.isQuick ? SIZES_QUICK : SIZES) {
    while (boxes.length < size - 1) boxes.push(await other.startBox({ stages: [] }))
    const times: Record<'remount' | 'umount', number[]> = { remount: [], umount: [] }
    for (let pass = 0; pass < PASSES; pass++) {
      for (const command of ['umount', 'remount'] as const) {
        const before = performance.now()
        const options = ['--all', '--runtime-root', join(other.site.directory, 'runc')]
        const { stdout } = await other.site.toolkit(command, ...options)
        const milliseconds = performance.now() - before
        if (!stdout.includes(`${size} `)) throw new Error(`Cannot measure ${command}: ${stdout}`)
        times[command].push(milliseconds)
        report.add({ part: 'remounts', command, containers: size, milliseconds })
      }
    }
    rows.push([String(size), figure(median(times.remount)), figure(median(times.umount))])
  }
  report.table('All containers at once, the time of unshare(1) and of the process included', rows)
}
