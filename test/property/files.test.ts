/** Every file of every container can be read by all who read it. */

import fc from 'fast-check'
import t from 'tap'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import { checkCpuCounts, checkFile } from '../consumers/files.ts'
import { openContainer, renderAll } from './container.ts'
import { anyHost, hostFiles, SMALL_HOST } from './hosts.ts'
import { holds } from './runs.ts'
import { anyTree, HEALTHY_LEVEL, KINDS } from './trees.ts'

/** All but `openEulerEmptyNames`, which no parser can do with, and says so. */
const options: fc.Arbitrary<Partial<Options>> = fc.record(
  {
    cpuQuota: fc.constantFrom('on', 'off'),
    cpuNumbering: fc.constantFrom('virtual', 'real'),
    topology: fc.constantFrom('openeuler', 'single-socket', 'host'),
    fractional: fc.constantFrom('steal', 'idle'),
    maskPossible: fc.constantFrom('off', 'on'),
    clampFreeToHost: fc.constantFrom('off', 'on'),
    v1SwapTotal: fc.constantFrom('diff', 'memsw'),
    swap: fc.constantFrom('on', 'off'),
    uptime: fc.constantFrom('container', 'host'),
    loadavg: fc.constantFrom('on', 'off'),
    diskstats: fc.constantFrom('container', 'host'),
    diskTimes: fc.constantFrom('zero', 'apportion'),
    slabinfo: fc.constantFrom('empty', 'host'),
    pressure: fc.constantFrom('on', 'host'),
    nestedMounts: fc.constantFrom('off', 'on'),
  },
  { requiredKeys: [] },
)

t.test('whatever the host, the cgroups and the options say', async t => {
  const values = fc.record({ host: anyHost, tree: anyTree, options })
  holds(t, values, ({ host, tree, options }) => {
    const container = openContainer(hostFiles(host), tree, options)
    for (const seconds of [0, 7]) {
      container.host.clock.advance(seconds)
      const texts = renderAll(container)
      for (const [path, text] of texts) checkFile(path, text)
      checkCpuCounts(texts)
      // Once is enough for the many lines of a large host.
      if (host.cpus > 8) break
    }
  })
})

for (const kind of KINDS) {
  t.test(`every file of a usual container on ${kind} is its own`, async t => {
    const machine = hostFiles(SMALL_HOST)
    const tree = { kind, levels: [HEALTHY_LEVEL, HEALTHY_LEVEL], threads: 'RSS' }
    const texts = renderAll(openContainer(machine, tree, DEFAULT_OPTIONS))
    t.equal(texts.size, 18)
    const same = [...texts].filter(([path, text]) => text === machine[path]).map(([path]) => path)
    const hosts = ['sys/devices/system/cpu/possible']
    if (kind === 'v1') hosts.unshift(...PRESSURE)
    // v1 kept lists of caches by cgroup: the tree's is a copy of the host's.
    if (kind === 'v1' || kind === 'hybrid') hosts.push('proc/slabinfo')
    t.same(same.sort(), hosts.sort())
  })
}

const PRESSURE = ['cpu', 'io', 'irq', 'memory'].map(name => `proc/pressure/${name}`)
