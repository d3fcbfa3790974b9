/** How soon a container without a hook sees its own values where `procveil watch` runs: by what the container itself reads. */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from '../kit/box.ts'
import { retry } from '../kit/requirements.ts'
import { Watching } from '../kit/watching.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { quantile, sort } from './statistics.ts'

const CONTAINERS = 100
const CONTAINERS_QUICK = 10
const AT_ONCE = [1, 10]

/** Its first instruction reads; then it reads until the limit of all boxes shows, and writes down what it read first. */
const SCRIPT = [
  'read -r a first b </proc/meminfo',
  ': >/tmp/begun',
  'i=0',
  'until read -r a seen b </proc/meminfo; [ "$seen" = 65536 ] || [ $i = 1000000 ]; do i=$((i+1)); done',
  'echo $first >/tmp/seen',
  'exec sleep 1000',
].join('\n')

export async function arrivals(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const other = await stage.another()
  const watcher = await new Watching(other.site, [join(other.site.directory, 'runc')], []).ready()
  const rows = [
    ['started', 'at a time', 'own values at once, %', 'the others after, ms: p50', 'p90', 'max'],
  ]
  try {
    for (const atOnce of AT_ONCE) {
      const count = effort.isQuick ? CONTAINERS_QUICK : CONTAINERS
      const boxes = Array.from({ length: count }, () =>
        other.makeBox({ stages: [], command: ['sh', '-c', SCRIPT] }),
      )
      const delays: number[] = []
      for (let at = 0; at < count; at += atOnce) {
        const some = boxes.slice(at, at + atOnce)
        await Promise.all(some.map(box => box.start()))
        delays.push(...(await Promise.all(some.map(readDelay))))
        await Promise.all(some.map(box => box.runc('delete', '--force', box.id)))
      }
      for (const milliseconds of delays) report.add({ part: 'arrivals', atOnce, milliseconds })
      const late = sort(delays.filter(each => each > 0))
      const early = (100 * (count - late.length)) / count
      const times = [0.5, 0.9, 1].map(part => figure(quantile(late, part)))
      rows.push([String(count), String(atOnce), figure(early), ...times])
    }
  } finally {
    await watcher.end()
  }
  report.table('Containers without a hook, beside procveil watch', rows)
}

/** In milliseconds, by files' times, which are the kernel's last tick; 0 where the first read showed it. */
async function readDelay(box: Box): Promise<number> {
  const at = (name: string) => join(box.bundle, 'rootfs/tmp', name)
  const first = await retry(() => {
    const text = readFileSync(at('seen'), 'utf8')
    if (text === '') throw new Error(`Cannot measure: ${box.id} has not written it yet`)
    return text.trim()
  })
  if (first === '65536') return 0
  return Math.max(statSync(at('seen')).mtimeMs - statSync(at('begun')).mtimeMs, 0.1)
}
