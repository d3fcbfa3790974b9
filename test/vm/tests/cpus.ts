/** CPUs that go offline and come back while a container runs. */

import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { needs } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { type Container, countCpus, cpus, launch, read } from '../container.ts'

function setOnline(cpu: number, online: boolean): void {
  writeFileSync(`/sys/devices/system/cpu/cpu${cpu}/online`, online ? '1' : '0')
}

/** Comes back when the test ends. */
function offline(t: Test, cpu: number): void {
  t.teardown(() => setOnline(cpu, true))
  setOnline(cpu, false)
}

async function totals(container: Container): Promise<number[]> {
  const [stat = ''] = await read(container, '/proc/stat')
  return stat.slice(0, stat.indexOf('\n')).trim().split(/ +/).slice(1).map(Number)
}

t.test('a CPU goes offline and comes back', needs('runc'), async t => {
  const here = site(t)
  const all = await launch(t, here, 'runc', 'all')
  const two = await launch(t, here, 'runc', 'two', { cpus: '2-3' })
  t.strictSame(await countCpus(all), cpus(4))
  t.strictSame(await countCpus(two), cpus(2))
  await all.sh('timeout 1 sh -c "while :; do :; done" || true')
  const before = await totals(all)

  offline(t, 3)
  t.strictSame(await countCpus(all), cpus(3))
  t.strictSame(await countCpus(two), cpus(1))
  const without = await totals(all)
  t.ok(
    without.every((ticks, i) => ticks >= (before[i] ?? 0)),
    `${before} then ${without}`,
  )

  offline(t, 1)
  t.strictSame(await countCpus(all), cpus(2), 'one in the middle')
  t.strictSame(await countCpus(two), cpus(1), 'which the other one never had')

  setOnline(3, true)
  setOnline(1, true)
  t.strictSame(await countCpus(all), cpus(4))
  t.strictSame(await countCpus(two), cpus(2))
  const after = await totals(all)
  t.ok(
    after.every((ticks, i) => ticks >= (without[i] ?? 0)),
    `${without} then ${after}`,
  )
})
