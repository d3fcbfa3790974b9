import t from 'tap'
import { NO_TIME } from '../../src/proc/cpu/time.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import { renderUptime } from '../../src/proc/uptime.ts'
import type { View } from '../../src/proc/view.ts'
import { toCpuTimes } from '../machines/cpu-times.ts'

function view(
  uptimeUsec: number | undefined,
  idleUsec: number,
  options: Partial<Options> = {},
): View {
  const partial: Partial<View> = {
    options: { ...DEFAULT_OPTIONS, ...options },
    hostFile: path => `host's ${path}\n`,
    uptimeUsec: () => uptimeUsec,
    cpuTimes: () => toCpuTimes({ total: { ...NO_TIME, idleUsec }, cpus: [] }),
  }
  return partial as View
}

t.test('seconds are cut to hundredths', async t => {
  t.equal(renderUptime(view(10_000_004_000 - 986_258 * 10_000, 0)), '137.42 0.00\n')
  t.equal(renderUptime(view(137_429_999, 540_109_999)), '137.42 540.10\n')
})

t.test("idle is that of all the container's CPUs", async t => {
  t.equal(renderUptime(view(100e6, 160e6)), '100.00 160.00\n')
})

t.test('hundredths have two digits', async t => {
  t.equal(renderUptime(view(5_030_000, 70_000)), '5.03 0.07\n')
})

t.test('a container from the future has no age yet', async t => {
  t.equal(renderUptime(view(-10_000, 0)), '0.00 0.00\n')
})

t.test('years are plain digits', async t => {
  t.equal(renderUptime(view(1e15, 512e15)), '1000000000.00 512000000000.00\n')
})

t.test("an unknown age, or an operator who says so, gives the host's file", async t => {
  t.equal(renderUptime(view(undefined, 0)), "host's proc/uptime\n")
  t.equal(renderUptime(view(5e6, 0, { uptime: 'host' })), "host's proc/uptime\n")
})
