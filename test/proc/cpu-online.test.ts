import t from 'tap'
import { renderCpuOnline } from '../../src/proc/cpu-online.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'

function online(effective: number[], count: number, options: Partial<Options> = {}): string {
  const view: Partial<View> = {
    options: { ...DEFAULT_OPTIONS, ...options },
    cpus: () => ({ effective, count, quotaCpus: count }),
  }
  return renderCpuOnline(view as View)
}

t.test('visible CPUs count from 0', async t => {
  t.equal(online([3, 7, 8, 9], 4), '0-3\n')
  t.equal(online([3, 7, 8, 9], 2), '0-1\n')
  t.equal(online([5], 1), '0\n')
})

t.test("an operator may keep the host's numbers", async t => {
  t.equal(online([3, 7, 8, 9], 4, { cpuNumbering: 'real' }), '3,7-9\n')
  t.equal(online([3, 7, 8, 9], 2, { cpuNumbering: 'real' }), '3,7\n')
})
