/** What properties found once, in its smallest form. */

import t, { type Test } from 'tap'
import type { Options } from '../../src/proc/options.ts'
import { checkFile } from '../consumers/files.ts'
import { numbers } from '../machines/sample-host.ts'
import { openContainer, renderAll } from './container.ts'
import { hostFiles, SMALL_HOST } from './hosts.ts'
import type { Files } from './memory-host.ts'
import { HEALTHY_LEVEL, type Kind, type Level, type Tree, treeFiles } from './trees.ts'

const MACHINE = hostFiles(SMALL_HOST)

/** One file of a container whose only cgroup is /ctr, with `damage` in its cgroups' files. */
function fileOf(
  path: string,
  kind: Kind,
  level: Partial<Level>,
  damage: Files = {},
  options: Partial<Options> = {},
): string {
  const tree = { kind, levels: [{ ...HEALTHY_LEVEL, ...level }], threads: 'S' }
  const container = openContainer(MACHINE, tree, options)
  container.host.set(damage)
  return renderAll(container).get(path) ?? ''
}

function checkSwapCached(t: Test, meminfo: string): void {
  const { SwapTotal = 0, SwapFree = 0, SwapCached = 0 } = numbers(meminfo)
  t.ok(SwapCached <= SwapTotal - SwapFree, `${SwapCached} kB of ${SwapTotal - SwapFree} kB in use`)
  t.doesNotThrow(() => checkFile('proc/meminfo', meminfo))
}

t.test('swap that is turned off is not cached', async t => {
  checkSwapCached(t, fileOf('proc/meminfo', 'v2', { memoryStat: ['1024'] }, {}, { swap: 'off' }))
})

t.test('no more swap is cached than is in use', async t => {
  // v1 no longer counts a page as swap while it is in the swap cache: total_swap is less.
  const level = { swapLimit: '2147483648', swapUsage: '536870912' }
  const stat = 'total_cache 8192\ntotal_swapcached 8192\ntotal_swap 4096\n'
  const files = { 'sys/fs/cgroup/memory/ctr/memory.stat': stat }
  checkSwapCached(t, fileOf('proc/meminfo', 'v1', level, files))
})

const PRESSURE_FILE = 'sys/fs/cgroup/ctr/io.pressure'
const SOME = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n'

for (const [what, text] of Object.entries({
  'a NUL': 'some \0avg10=0.00 avg60=0.00 avg300=0.00 total=1\n',
  'a line that is cut': 'some avg10=',
  'a blank line': `${SOME}\n`,
  'carriage returns': SOME.replace('\n', '\r\n'),
  'a total without digits': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=-1\n',
  'a second line that is none': `${SOME}full\n`,
})) {
  t.test(`pressure with ${what} is the host's`, async t => {
    const file = 'proc/pressure/io'
    t.equal(fileOf(file, 'v2', {}, { [PRESSURE_FILE]: text }), MACHINE[file])
  })
}

const SLABINFO_FILE = 'sys/fs/cgroup/memory/ctr/memory.kmem.slabinfo'
const HEADING = String(MACHINE['proc/slabinfo']).split('\n', 2).join('\n')

for (const [what, text] of Object.entries({
  'a line that is none': `${HEADING}\ndentry 1 2\n`,
  'a NUL': `${HEADING}\n\0\n`,
  'another heading': 'a\nb\ndentry 1 1 1 1 1 : tunables 0 0 0 : slabdata 1 1 0\n',
  'a count beyond 64 bits': `${HEADING}\ndentry 99999999999999999999 1 1 1 1 : tunables 0 0 0 : slabdata 1 1 0\n`,
  'a number in the headings': `${HEADING.replace('# name', '# name Infinity')}\ndentry 1 1 1 1 1 : tunables 0 0 0 : slabdata 1 1 0\n`,
  'a colon for a count': `${HEADING}\ndentry 1 1 1 1 : : tunables 0 0 0 : slabdata 1 1 0\n`,
  'a count below 0': `${HEADING}\ndentry -1 1 1 1 1 : tunables 0 0 0 : slabdata 1 1 0\n`,
})) {
  t.test(`a list of caches with ${what} is as good as none`, async t => {
    const slabinfo = fileOf('proc/slabinfo', 'v1', {}, { [SLABINFO_FILE]: text })
    t.doesNotThrow(() => checkFile('proc/slabinfo', slabinfo))
  })
}

for (const pid of ['18446744073709551615', '9'.repeat(400)]) {
  t.test(`a pid of ${pid.length} digits is no last pid`, async t => {
    const status = { 'proc/5000/status': `NSpid:\t5000\t${pid}\n` }
    t.match(fileOf('proc/loadavg', 'v2', {}, status), / 1\/1 1\n$/)
  })
}

t.test('a cgroup that is made anew while the init lives is read again', async t => {
  const treeOf = (memoryLimit: string): Tree => ({
    kind: 'v2',
    levels: [{ ...HEALTHY_LEVEL, memoryLimit }],
    threads: '',
  })
  const { host, view } = openContainer(MACHINE, treeOf('1073741824'))
  t.equal(view.memory()?.limitBytes, 2 ** 30)
  const gone = Object.keys(treeFiles(treeOf('0'))).map(path => [path, undefined] as const)
  host.set(Object.fromEntries(gone))
  view.memory()
  host.set(treeFiles(treeOf('2147483648')))
  t.equal(view.memory()?.limitBytes, 2 ** 31)
})
