import t from 'tap'
import { renderCpuOffline } from '../../src/proc/cpu-offline.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'

function offline(possible: string, count: number, options: Partial<Options> = {}): string {
  const view: Partial<View> = {
    options: { ...DEFAULT_OPTIONS, ...options },
    hostFile: path => (path === 'sys/devices/system/cpu/possible' ? possible : ''),
    cpus: () => ({ effective: [3, 7], count, quotaCpus: count }),
  }
  return renderCpuOffline(view as View)
}

t.test('possible CPUs that do not show are offline', async t => {
  t.equal(offline('0-127\n', 2), '2-127\n')
  t.equal(offline('0-2\n', 2), '2\n')
  t.equal(offline('0-8\n', 2, { cpuNumbering: 'real' }), '0-2,4-6,8\n')
})

t.test('none is a lone newline', async t => {
  t.equal(offline('0-1\n', 2), '\n')
})
