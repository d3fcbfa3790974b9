/**
 * /sys/devices/system/cpu, Documentation/ABI/testing/sysfs-devices-system-cpu and drivers/base/cpu.c of the kernel. A
 * container sees a directory for each of its CPUs. `online`, `offline`, `possible` and `present` are files of their own.
 */

import { renderCpuList } from '../../cgroup/cpuset.ts'
import { findTopologyRender, limitSet } from './cpu-topology.ts'
import type { SysDirectory, SysRender, SysView } from './directory.ts'
import { numberingOf, renumber } from './numbering.ts'

const PATH = 'sys/devices/system/cpu'

/** NR_CPUS has four digits at most. */
const CPU = /^cpu(0|[1-9]\d{0,4})$/
const POLICY = /^policy\d+$/

/**
 * What nobody sees: by writing to the first two CPUs are added and removed. Docker, containerd and podman mask
 * `thermal_throttle` in each CPU's directory, since it tells what neighbours do; `hotplug` takes CPUs away, and
 * `crash_notes` says where kexec finds the kernel's registers.
 */
const HIDDEN: ReadonlySet<string> = new Set(['probe', 'release'])
const HIDDEN_OF_CPU = /^(?:thermal_throttle|hotplug|crash_notes.*)$/

export const CPU_DIRECTORY: SysDirectory = {
  path: PATH,

  hostName: (within, name, view) => (within === '' ? hostNameOf(name, view) : name),

  isHidden(within, name, view) {
    if (within === '') return HIDDEN.has(name)
    if (CPU.test(within)) return HIDDEN_OF_CPU.test(name)
    return within === 'cpufreq' && POLICY.test(name) && !hasPolicy(name, view)
  },

  shownNames: (within, names, view) =>
    within === '' && view !== undefined ? shownNamesOf(names, view) : names,

  findRender(path) {
    const own = RENDERS.get(path)
    if (own !== undefined) return own
    const [first = '', directory, ...others] = path.split('/')
    const name = others.at(-1) ?? ''
    const cpu = CPU.exec(first)?.[1]
    if (cpu === undefined) {
      return first === 'cpufreq' && POLICIES.has(name) ? renderPolicyCpus : undefined
    }
    if (directory === 'online' && others.length === 0) return () => '1\n'
    if (directory === 'topology' && others.length === 1) {
      return findTopologyRender(name, Number(cpu))
    }
    return directory === 'cache' && others.length === 2 ? SHARED.get(name) : undefined
  },

  isFleeting: path => CPU.test(path) || /^cpufreq\/policy\d+$/.test(path),
}

function hostNameOf(name: string, view: SysView | undefined): string | undefined {
  const shown = CPU.exec(name)?.[1]
  if (shown === undefined || view === undefined) return name
  const cpu = numberingOf(view).hostByShown.get(Number(shown))
  return cpu === undefined ? undefined : `cpu${cpu}`
}

function shownNamesOf(names: readonly string[], view: SysView): string[] {
  const had = new Set(names)
  const { hostByShown } = numberingOf(view)
  const cpus = [...hostByShown].filter(([, cpu]) => had.has(`cpu${cpu}`))
  return [...cpus.map(([shown]) => `cpu${shown}`), ...names.filter(name => !CPU.test(name))]
}

/**
 * Whether a container sees a policy of cpufreq: one of its CPUs is in it. The names of policies stay, since cpuN/cpufreq
 * leads to them.
 */
function hasPolicy(name: string, view: SysView | undefined): boolean {
  if (view === undefined) return true
  const { shownByHost } = numberingOf(view)
  return parseNumbers(readPolicy(view, name)).some(cpu => shownByHost.has(cpu))
}

function readPolicy(view: SysView, name: string): string {
  try {
    return view.hostFile(`${PATH}/cpufreq/${name}/related_cpus`, name)
  } catch {
    return ''
  }
}

const parseNumbers = (text: string): number[] =>
  text
    .split(/\s+/)
    .filter(word => word !== '')
    .map(Number)

/** drivers/cpufreq/cpufreq.c writes such CPUs with blanks between them. */
const renderPolicyCpus: SysRender = (host, view) =>
  `${renumber(parseNumbers(host), numberingOf(view)).join(' ')}\n`

const POLICIES: ReadonlySet<string> = new Set(['affected_cpus', 'related_cpus', 'freqdomain_cpus'])

const limitList: SysRender = (host, view) => limitSet(host, numberingOf(view), true)
const limitMask: SysRender = (host, view) => limitSet(host, numberingOf(view), false)

/** Which CPUs share a cache is true whatever the option `topology` says of sockets. */
const SHARED: ReadonlyMap<string, SysRender> = new Map([
  ['shared_cpu_list', limitList],
  ['shared_cpu_map', limitMask],
])

const RENDERS: ReadonlyMap<string, SysRender> = new Map([
  ['isolated', limitList],
  ['nohz_full', limitList],
  // On arm64: the CPUs that run 32-bit programs.
  ['aarch32_el0', limitList],
  ['enabled', (_, view) => `${renderCpuList(numberingOf(view).shown)}\n`],
  ['smt/active', (host, view) => (view.options.topology === 'host' ? host : '0\n')],
])
