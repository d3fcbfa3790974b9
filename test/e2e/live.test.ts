/** Limits that change while a container runs show in the next read. */

import t from 'tap'
import { started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20

t.test('a container follows its limits', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'live', {
    memoryBytes: 256 * MiB,
    cpus: '0-1',
    hostPrograms: true,
  })
  const cpus = async () => [
    (await box.cat('/proc/cpuinfo')).match(/^processor/gm)?.length,
    (await box.cat('/proc/stat')).match(/^cpu\d/gm)?.length,
    await box.cat('/sys/devices/system/cpu/online'),
  ]
  t.match(await box.sh('/usr/bin/free'), /^Mem: +262144 /m)
  t.strictSame(await cpus(), [2, 2, '0-1'])

  await box.update('--memory', '128M')
  t.match(await box.sh('/usr/bin/free'), /^Mem: +131072 /m, 'runc update --memory 128M')
  await box.update('--cpuset-cpus', '1')
  t.strictSame(await cpus(), [1, 1, '0'], 'runc update --cpuset-cpus 1')
  await box.update('--cpuset-cpus', '0-1')
  t.strictSame(await cpus(), [2, 2, '0-1'], 'and back')
  await box.update('--cpu-period', '100000', '--cpu-quota', '50000')
  t.strictSame(await cpus(), [1, 1, '0'], 'half a CPU is one')
  await box.update('--cpu-quota', '150000')
  t.strictSame(await cpus(), [2, 2, '0-1'], 'one and a half are two')
})

t.test('CPU time goes on and never back', needs('runc'), async t => {
  const box = await started(t, site(t), 'busy', { cpus: '0-1' })
  let last = await box.cat('/proc/stat')
  for (const [cpuset, work] of [
    ['0', 300],
    ['0-1', 100],
    ['1', 100],
    ['0-1', 0],
  ] as const) {
    await box.sh(`timeout 0.${work} sh -c 'while :; do :; done' || true`)
    await box.update('--cpuset-cpus', cpuset)
    const next = await box.cat('/proc/stat')
    const [before, after] = [last, next].map(aggregate)
    t.ok(
      after?.every((ticks, i) => ticks >= (before?.[i] ?? 0)),
      `${before?.join(' ')} then ${after?.join(' ')}`,
    )
    last = next
  }
  const [user = 0, nice = 0, system = 0, idle = 0] = aggregate(last)
  t.ok(user + system > 5, `its own work shows: ${user} ${nice} ${system}`)
  const [uptime = 0] = (await box.cat('/proc/uptime')).split(' ').map(Number)
  t.ok(idle <= uptime * 200 + 10)
})

function aggregate(stat: string): number[] {
  return stat.split('\n')[0]?.trim().split(/ +/).slice(1).map(Number) ?? []
}
