import t from 'tap'
import type { Options } from '../../../src/proc/options.ts'
import { CPU_DIRECTORY } from '../../../src/proc/sysfs/cpu.ts'
import { findSysDirectory } from '../../../src/proc/sysfs/directories.ts'
import type { View } from '../../../src/proc/view.ts'
import { cpuView } from './view.ts'

const HOST = ['cpu0', 'cpu1', 'cpu2', 'cpu3', 'cpufreq', 'cpuidle', 'online', 'probe', 'release']

/** As the file system asks: the host's name first, and then whether that is hidden. */
function host(name: string, view: View | undefined, within = ''): string | undefined {
  const hostName = CPU_DIRECTORY.hostName(within, name, view)
  if (hostName === undefined || CPU_DIRECTORY.isHidden(within, hostName, view)) return undefined
  return hostName
}

const shown = (view: View | undefined, names = HOST, within = '') =>
  CPU_DIRECTORY.shownNames(within, names, view).filter(
    name => host(name, view, within) !== undefined,
  )
const says = (path: string, text: string, view: View) =>
  CPU_DIRECTORY.findRender(path)?.(text, view)

t.test('there is a directory for each visible CPU, numbered from 0', async t => {
  const view = cpuView([1, 3])
  t.strictSame(shown(view), ['cpu0', 'cpu1', 'cpufreq', 'cpuidle', 'online'])
  t.equal(host('cpu0', view), 'cpu1')
  t.equal(host('cpu1', view), 'cpu3')
  t.equal(host('cpu2', view), undefined)
  t.equal(host('cpu01', view), 'cpu01', 'is no number of a CPU')
  t.equal(host('cpufreq', view), 'cpufreq')
})

t.test('a quota shows the first of the CPUs', async t => {
  t.strictSame(shown(cpuView([1, 3], {}, { count: 1 }))[1], 'cpufreq')
  t.equal(host('cpu1', cpuView([1, 3], {}, { count: 1 })), undefined)
})

t.test('with real numbers the directories have those of the host', async t => {
  const view = cpuView([1, 3], { cpuNumbering: 'real' })
  t.strictSame(shown(view).slice(0, 2), ['cpu1', 'cpu3'])
  t.equal(host('cpu3', view), 'cpu3')
  t.equal(host('cpu0', view), undefined)
})

t.test('who has no view sees the host, without what nobody sees', async t => {
  t.strictSame(shown(undefined), HOST.slice(0, -2))
  t.equal(host('cpu3', undefined), 'cpu3')
  t.equal(host('release', undefined), undefined)
})

t.test('what runtimes mask is not there, nor what takes a CPU away', async t => {
  const names = ['crash_notes', 'crash_notes_size', 'hotplug', 'thermal_throttle', 'topology']
  for (const view of [cpuView([0]), undefined]) {
    t.strictSame(shown(view, names, 'cpu0'), ['topology'])
    for (const name of names.slice(0, -1)) t.equal(host(name, view, 'cpu0'), undefined, name)
  }
  t.equal(host('hotplug', cpuView([0])), 'hotplug', 'the list of its states tells nothing')
})

t.test('policies are there for visible CPUs, with their numbers', async t => {
  const files = {
    'sys/devices/system/cpu/cpufreq/policy0/related_cpus': '0 1\n',
    'sys/devices/system/cpu/cpufreq/policy2/related_cpus': '2 3\n',
  }
  const view = cpuView([3], {}, { files })
  const names = ['boost', 'policy0', 'policy2', 'policy9']
  t.strictSame(shown(view, names, 'cpufreq'), ['boost', 'policy2'])
  t.equal(says('cpufreq/policy2/affected_cpus', '2 3\n', view), '0\n')
  t.equal(says('cpufreq/policy2/related_cpus', '2 3 \n', cpuView([2, 3])), '0 1\n')
  t.strictSame(shown(undefined, names, 'cpufreq'), names)
})

t.test('lists of the host have the visible CPUs only', async t => {
  const view = cpuView([1, 3])
  t.equal(says('isolated', '2-3\n', view), '1\n')
  t.equal(says('isolated', '\n', view), '\n')
  t.equal(says('nohz_full', ' (null)\n', view), ' (null)\n', 'where the kernel has none')
  t.equal(says('nohz_full', '0,2\n', view), '\n')
  t.equal(says('enabled', '0-3\n', view), '0-1\n')
  t.equal(CPU_DIRECTORY.findRender('kernel_max'), undefined)
})

t.test('caches are shared by those that share them', async t => {
  const view = cpuView([1, 2, 3], { topology: 'single-socket' })
  t.equal(says('cpu1/cache/index0/shared_cpu_list', '2-3\n', view), '1-2\n')
  t.equal(says('cpu1/cache/index0/shared_cpu_map', 'c\n', view), '6\n')
  t.equal(says('cpu0/cache/index0/shared_cpu_map', '00,00000003\n', view), '00,00000001\n')
  t.equal(CPU_DIRECTORY.findRender('cpu0/cache/index0/size'), undefined)
})

t.test('a CPU that may be taken offline is online', async t => {
  t.equal(says('cpu1/online', '1\n', cpuView([1, 3])), '1\n')
})

t.test('threads are active where the topology is the host’s', async t => {
  t.equal(says('smt/active', '1\n', cpuView([0])), '0\n')
  t.equal(says('smt/active', '1\n', cpuView([0], { topology: 'host' })), '1\n')
  t.equal(CPU_DIRECTORY.findRender('smt/control'), undefined)
})

/** CPUs 0, 1 and 2, 3 are two threads of a core each, all in package 0. */
const TOPOLOGY: Readonly<Record<string, (cpu: number) => string>> = {
  physical_package_id: () => '0',
  die_id: () => '0',
  cluster_id: () => '65535',
  core_id: cpu => `${cpu >> 1}`,
  core_cpus: cpu => (cpu < 2 ? '3' : 'c'),
  thread_siblings_list: cpu => (cpu < 2 ? '0-1' : '2-3'),
  core_siblings: () => 'f',
  package_cpus_list: () => '0-3',
  die_cpus_list: () => '0-3',
  book_id: () => '-1',
  drawer_siblings_list: () => '0-3',
}

function topologyOf(options: Partial<Options>, cpu: number, effective: number[]) {
  const view = cpuView(effective, options)
  const own = Number(host(`cpu${cpu}`, view)?.slice(3))
  return Object.fromEntries(
    Object.entries(TOPOLOGY).map(([name, text]) => [
      name,
      says(`cpu${cpu}/topology/${name}`, `${text(own)}\n`, view)?.trim(),
    ]),
  )
}

t.test('each CPU is a socket of its own', async t => {
  t.strictSame(topologyOf({}, 1, [1, 2, 3]), {
    physical_package_id: '1',
    die_id: '0',
    cluster_id: '65535',
    core_id: '0',
    core_cpus: '2',
    thread_siblings_list: '1',
    core_siblings: '2',
    package_cpus_list: '1',
    die_cpus_list: '1',
    book_id: '-1',
    drawer_siblings_list: '0-2',
  })
})

t.test('all CPUs are cores of one socket', async t => {
  t.match(topologyOf({ topology: 'single-socket' }, 1, [1, 2, 3]), {
    physical_package_id: '0',
    core_id: '1',
    core_cpus: '2',
    thread_siblings_list: '1',
    core_siblings: '7',
    package_cpus_list: '0-2',
    die_cpus_list: '0-2',
  })
})

t.test("the host's topology has the visible CPUs, by their numbers", async t => {
  t.match(topologyOf({ topology: 'host' }, 1, [1, 2, 3]), {
    physical_package_id: '0',
    cluster_id: '65535',
    core_id: '1',
    core_cpus: '6',
    thread_siblings_list: '1-2',
    core_siblings: '7',
    package_cpus_list: '0-2',
    book_id: '-1',
  })
  t.match(topologyOf({ topology: 'host' }, 0, [1, 2, 3]), { thread_siblings_list: '0' })
})

t.test('with real numbers sets have those, and ids go on from 0', async t => {
  const real = { cpuNumbering: 'real', topology: 'single-socket' } as const
  t.match(topologyOf(real, 3, [1, 3]), {
    core_id: '1',
    core_cpus: '8',
    package_cpus_list: '1,3',
  })
})

t.test('what comes and goes with the CPUs is told', async t => {
  t.ok(CPU_DIRECTORY.isFleeting('cpu12'))
  t.notOk(CPU_DIRECTORY.isFleeting('cpu12/topology'))
  t.notOk(CPU_DIRECTORY.isFleeting('cpufreq'))
})

t.test('paths are in the directory or not', async t => {
  const path = 'sys/devices/system/cpu'
  t.match(findSysDirectory(`${path}/cpu0/online`), { below: 'cpu0/online' })
  t.match(findSysDirectory(path), { below: '' })
  t.equal(findSysDirectory(`${path}x`), undefined)
  t.equal(findSysDirectory('sys/devices'), undefined)
})
