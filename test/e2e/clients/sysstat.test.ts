/** mpstat, iostat and sar of sysstat. */

import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { keepBusy, type Limited, limited, needsFiles, numbersAfter } from './limited.ts'

const SAR = ['/usr/bin/sar.sysstat', '/usr/bin/sar'].find(path => existsSync(path)) ?? 'sar'
const programs = needsFiles({ '/usr/bin/mpstat': 'sysstat', [SAR]: 'sysstat' })

t.test('sysstat in two containers', programs, async t => {
  for (const container of await limited(t)) {
    const { box, memoryKib, cpus, sharedKib } = container
    t.test(box.id, async t => {
      await keepBusy(container, 8)
      const mpstat = await box.sh('LC_ALL=C mpstat -P ALL 1 1')
      const rows = [...mpstat.matchAll(/^Average: +(all|\d+) (.*)$/gm)]
      const names = ['all', ...Array(cpus).keys()].map(String)
      t.strictSame(
        rows.map(([, name]) => name),
        names,
        mpstat,
      )
      for (const [row, , percents = ''] of rows) checkPercents(t, percents, row)
      const idle = rows.map(([, , percents]) => Number(percents?.trim().split(/ +/).at(-1)))
      t.ok(Math.min(...idle) < 80, `a busy CPU among ${idle}`)

      const iostat = await box.sh('LC_ALL=C iostat -c -y 1 1')
      checkPercents(t, iostat.trim().split('\n').at(-1) ?? '', iostat)
      // How many CPUs and which disks there are iostat takes from sysfs, which is the host's.
      t.match(await box.sh('LC_ALL=C iostat -d'), /^Device /m)

      const sar = await box.sh(`LC_ALL=C ${SAR} -r 1 1`)
      const [free = 0, available = 0, used = 0, , buffers = 0, cached = 0] = numbersAfter(
        sar,
        'Average:',
      )
      t.ok(cached >= sharedKib && free + used + buffers + cached <= memoryKib, sar)
      t.ok(available <= memoryKib, sar)
      await checkPaging(t, container)
      const [, threads = 0, ...loads] = numbersAfter(
        await box.sh(`LC_ALL=C ${SAR} -q 1 1`),
        'Average:',
      )
      // `sleep`, the shell, sar and what it starts: not the hundreds of the host.
      t.ok(threads >= 3 && threads < 20, `${threads} threads`)
      t.ok(loads.every(load => load < 8))
    })
  }
})

/** Whoever starts a program makes faults; the machine's swap and reclaim are none of the container's. */
async function checkPaging(t: Test, { box }: Limited): Promise<void> {
  const faulty = 'for i in 1 2 3 4 5 6 7 8 9 10; do cat /proc/version; sleep 0.2; done >/dev/null'
  const paging = await box.sh(`${faulty} & LC_ALL=C ${SAR} -B 1 1; wait`)
  const [pgpgin = -1, pgpgout = -1, faults = 0, majorFaults = -1] = numbersAfter(paging, 'Average:')
  t.ok(pgpgin >= 0 && pgpgout >= 0 && majorFaults >= 0, paging)
  t.ok(faults > 0, paging)
  t.strictSame(numbersAfter(await box.sh(`LC_ALL=C ${SAR} -W 1 1`), 'Average:'), [0, 0])
}

/** Percentages of one row are of the same whole. */
function checkPercents(t: Test, row: string, message: string): void {
  const sum = (row.match(/\d+\.\d+/g) ?? []).map(Number).reduce((sum, value) => sum + value, 0)
  t.ok(sum > 99.5 && sum < 100.5, message)
}
