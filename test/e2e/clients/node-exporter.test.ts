/** prometheus-node-exporter reads the container's files without a complaint, and its values are the limits. */

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Box } from '../../kit/box.ts'
import { retry } from '../../kit/requirements.ts'
import { COLLECTORS, EXPORTER, Exporter, type Metrics } from './exporter.ts'
import { keepBusy, limited, needsFiles } from './limited.ts'

const programs = needsFiles({ [EXPORTER]: 'prometheus-node-exporter' })

t.test('node_exporter in two containers', programs, async t => {
  for (const container of await limited(t)) {
    const { box, memoryKib, cpus, sharedKib } = container
    t.test(box.id, async t => {
      const exporter = await Exporter.start(box)
      const before = await exporter.scrape()
      await keepBusy(container, 2)
      await box.sh('sleep 1.5')
      const seen = await exporter.scrape()
      const value = (name: string) => seen.get(name) ?? Number.NaN

      const collectors = COLLECTORS.filter(
        name => name !== 'pressure' || existsSync('/proc/pressure/cpu'),
      )
      for (const name of collectors) {
        t.equal(value(`node_scrape_collector_success{collector="${name}"}`), 1, name)
      }
      const log = await box.cat('/tmp/exporter.log')
      t.notMatch(log, /collector failed|jumped backwards/)

      const memoryBytes = memoryKib * 1024
      t.equal(value('node_memory_MemTotal_bytes'), memoryBytes)
      t.equal(value('node_memory_Shmem_bytes'), sharedKib * 1024)
      const free = value('node_memory_MemFree_bytes')
      const available = value('node_memory_MemAvailable_bytes')
      t.ok(free > 0 && free <= available && available <= memoryBytes - sharedKib * 1024)

      const faults = value('node_vmstat_pgfault')
      t.ok(faults > 0 && faults < hostFaults() / 2, `${faults} faults of the container`)
      t.equal(value('node_vmstat_oom_kill'), 0)
      t.equal(value('node_vmstat_pswpout'), 0)

      t.equal(named(seen, 'node_cpu_info').length, cpus, 'CPUs of cpuinfo')
      t.equal(named(seen, 'node_cpu_seconds_total', 'mode="idle"').length, cpus, 'CPUs of stat')
      const work = sum(seen, 'mode="user"') - sum(before, 'mode="user"')
      t.ok(work > 0.2 && work < 10, `${work} s of work`)
      t.ok(sum(seen, '') < 60 * cpus, 'CPU time since the container started')

      t.equal(value('node_boot_time_seconds'), Number(/^btime (\d+)/m.exec(readHostStat())?.[1]))
      t.ok(Math.abs(value('node_time_seconds') - Date.now() / 1000) < 10)
      for (const load of ['node_load1', 'node_load5', 'node_load15']) t.ok(value(load) < 4, load)
      t.ok(value('node_procs_running') >= 1 && value('node_procs_running') < 10)

      const { shown, own } = await scrapeDisks(exporter, box)
      t.strictSame(shown, own, 'reads of each disk')
      for (const name of named(seen, 'node_disk_', '_total')) t.ok(value(name) >= 0, name)
      if (collectors.includes('pressure')) {
        t.ok(value('node_pressure_cpu_waiting_seconds_total') < 60, 'of the container')
      }
    })
  }
})

/** Reads completed of each disk, as the exporter shows them and as they are while the container's disks stay the same. */
async function scrapeDisks(exporter: Exporter, box: Box) {
  return retry(async () => {
    const own = await readDisks(box)
    const seen = await exporter.scrape()
    // Another test may load a driver whose disks come between.
    if (String(await readDisks(box)) !== String(own)) {
      throw new Error('Cannot compare the disks: they have changed meanwhile')
    }
    const names = named(seen, 'node_disk_reads_completed_total')
    return { shown: names.map(name => seen.get(name)), own }
  })
}

async function readDisks(box: Box): Promise<number[]> {
  const lines = (await box.cat('/proc/diskstats')).split('\n')
  return lines.filter(line => line !== '').map(line => Number(line.trim().split(/ +/)[3]))
}

const named = (metrics: Metrics, prefix: string, part = '') =>
  [...metrics.keys()].filter(name => name.startsWith(prefix) && name.includes(part))

const sum = (metrics: Metrics, part: string) =>
  named(metrics, 'node_cpu_seconds_total', part).reduce(
    (total, name) => total + (metrics.get(name) ?? 0),
    0,
  )

const readHostStat = () => readFileSync('/proc/stat', 'utf8')

const hostFaults = () => Number(/^pgfault (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1])
