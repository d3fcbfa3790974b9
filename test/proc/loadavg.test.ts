import fc from 'fast-check'
import t from 'tap'
import { FIXED_1, type Load, type Loads, NO_LOADS, stepLoads } from '../../src/proc/load.ts'
import { renderLoad, renderLoadavg } from '../../src/proc/loadavg.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'

const HOST = '9.61 9.13 9.04 3/420 11800\n'
const LOAD: Load = { loads: NO_LOADS, running: 0, blocked: 0, threads: 5, lastPid: 42 }
const averages = (loads: Loads) =>
  renderLoad({ ...LOAD, loads })
    .split(' ', 3)
    .join(' ')
const view = (load: Load | undefined, options: Partial<Options> = {}) =>
  ({
    options: { ...DEFAULT_OPTIONS, ...options },
    load: () => load,
    hostFile: path => (path === 'proc/loadavg' ? HOST : ''),
  }) as View

t.test('the load of two threads grows and decays as the kernel has it', async t => {
  let loads = stepLoads(NO_LOADS, 2)
  t.equal(averages(loads), '0.16 0.03 0.01')
  loads = stepLoads(loads, 2)
  t.equal(averages(loads), '0.31 0.07 0.02')
  for (let i = 2; i < 12; i++) loads = stepLoads(loads, 2)
  t.equal(averages(loads), '1.27 0.37 0.13')
  t.same(stepLoads(NO_LOADS, 2, 12), loads, 'twelve steps at once are twelve steps')
  t.equal(averages(stepLoads(loads, 0, 12)), '0.46 0.30 0.12')
})

t.test('steps end where they change nothing any more', async t => {
  const steady = [5 * FIXED_1, 5 * FIXED_1, 5 * FIXED_1]
  t.same(stepLoads(NO_LOADS, 5, 1e9), steady)
  t.not(stepLoads(NO_LOADS, 5, 200)[2], steady[2])
  t.same(stepLoads([2048, 2048, 2048], 5, 0), [2048, 2048, 2048])
})

t.test('blocked threads are load, but do not run', async t => {
  const loads = stepLoads(NO_LOADS, 3)
  t.equal(renderLoad({ ...LOAD, loads, blocked: 3 }), '0.24 0.05 0.02 1/5 42\n')
})

t.test('running, threads and the last pid follow the averages', async t => {
  t.equal(
    renderLoadavg(view({ ...LOAD, running: 3, threads: 42, lastPid: 118 })),
    '0.00 0.00 0.00 3/42 118\n',
  )
})

t.test('whoever reads is a running thread', async t => {
  t.equal(renderLoad({ ...LOAD, threads: 0, lastPid: 1 }), '0.00 0.00 0.00 1/1 1\n')
})

t.test("unknown load is the host's, as is all when the option says so", async t => {
  t.equal(renderLoadavg(view(undefined)), HOST)
  t.equal(renderLoadavg(view(LOAD, { loadavg: 'off' })), HOST)
})

t.test('averages are of the format and never beyond what was active', async () => {
  const active = fc.integer({ min: 0, max: 20_000 })
  fc.assert(
    fc.property(fc.array(fc.tuple(active, fc.integer({ min: 1, max: 300 }))), samples => {
      let loads = NO_LOADS
      let most = 0
      for (const [n, steps] of samples) {
        loads = stepLoads(loads, n, steps)
        most = Math.max(most, n)
      }
      for (const load of loads) {
        if (!Number.isInteger(load) || load < 0 || load > most * 2048) return false
      }
      return /^(\d+\.\d\d ){3}\d+\/\d+ \d+\n$/.test(renderLoad({ ...LOAD, loads }))
    }),
  )
})

t.test('a steady load is reached and kept', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), n => {
      let loads = NO_LOADS
      for (let i = 0; i < 30; i++) loads = stepLoads(loads, n, 200)
      return loads.every(load => load === n * 2048)
    }),
    { numRuns: 50 },
  )
})
