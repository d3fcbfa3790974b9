/** prometheus-node-exporter reads the container's files without a complaint, and its values are the limits. */

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
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

      t.equal(named(seen, 'node_cpu_info').length, cpus, 'CPUs of cpuinfo')
      t.equal(named(seen, 'node_cpu_seconds_total', 'mode="idle"').length, cpus, 'CPUs of stat')
      const work = sum(seen, 'mode="user"') - sum(before, 'mode="user"')
      t.ok(work > 0.2 && work < 10, `${work} s of work`)
      t.ok(sum(seen, '') < 60 * cpus, 'CPU time since the container started')

      t.equal(value('node_boot_time_seconds'), Number(/^btime (\d+)/m.exec(readHostStat())?.[1]))
      t.ok(Math.abs(value('node_time_seconds') - Date.now() / 1000) < 10)
      for (const load of ['node_load1', 'node_load5', 'node_load15']) t.ok(value(load) < 4, load)
      t.ok(value('node_procs_running') >= 1 && value('node_procs_running') < 10)

      const disks = (await box.cat('/proc/diskstats')).trim().split('\n')
      const reads = named(seen, 'node_disk_reads_completed_total').map(name => seen.get(name))
      t.strictSame(
        reads,
        disks.filter(line => line !== '').map(line => Number(line.trim().split(/ +/)[3])),
      )
      for (const name of named(seen, 'node_disk_', '_total')) t.ok(value(name) >= 0, name)
      if (collectors.includes('pressure')) {
        t.ok(value('node_pressure_cpu_waiting_seconds_total') < 60, 'of the container')
      }
    })
  }
})

const named = (metrics: Metrics, prefix: string, part = '') =>
  [...metrics.keys()].filter(name => name.startsWith(prefix) && name.includes(part))

const sum = (metrics: Metrics, part: string) =>
  named(metrics, 'node_cpu_seconds_total', part).reduce(
    (total, name) => total + (metrics.get(name) ?? 0),
    0,
  )

const readHostStat = () => readFileSync('/proc/stat', 'utf8')
