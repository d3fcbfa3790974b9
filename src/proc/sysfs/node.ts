/**
 * /sys/devices/system/node, Documentation/ABI/stable/sysfs-devices-node and drivers/base/node.c of the kernel. A container
 * sees the nodes that it may allocate on, with its own CPUs and memory on them. `possible` stays, since programs size
 * arrays by it, and so does numastat, as in vmstat: where pages were placed is about the machine.
 */

import { findCpus, renderCpuList } from '../../cgroup/cpuset.ts'
import { limitSet } from './cpu-topology.ts'
import type { SysDirectory, SysRender, SysView } from './directory.ts'
import { renderNodeMeminfo, renderNodeVmstat } from './node-memory.ts'
import { hostNodes, NODE_PATH, shownNodes } from './nodes.ts'
import { numberingOf } from './numbering.ts'

const NODE = /^node(0|[1-9]\d{0,4})$/
const CPU = /^cpu(0|[1-9]\d{0,4})$/
const CPU_OF_NODE = /^node\d+\/(cpu\d+)$/

export const NODE_DIRECTORY: SysDirectory = {
  path: NODE_PATH,

  hostName(within, name, view) {
    const nodes = view && shownNodes(view)
    if (view === undefined || nodes === undefined) return name
    if (within === '') return isShown(name, nodes) ? name : undefined
    const shown = NODE.test(within) ? CPU.exec(name)?.[1] : undefined
    if (shown === undefined) return name
    const cpu = numberingOf(view).hostByShown.get(Number(shown))
    return cpu === undefined ? undefined : `cpu${cpu}`
  },

  isHidden: () => false,

  shownNames(within, names, view) {
    const nodes = view && shownNodes(view)
    if (view === undefined || nodes === undefined) return names
    if (within === '') return names.filter(name => isShown(name, nodes))
    if (!NODE.test(within)) return names
    const { shownByHost } = numberingOf(view)
    return names.flatMap(name => {
      const cpu = CPU.exec(name)?.[1]
      if (cpu === undefined) return [name]
      const shown = shownByHost.get(Number(cpu))
      return shown === undefined ? [] : [`cpu${shown}`]
    })
  },

  findRender(path) {
    const list = LISTS.get(path)
    if (list !== undefined) return list
    const [first = '', name = '', ...others] = path.split('/')
    const node = NODE.exec(first)?.[1]
    const render = others.length === 0 ? OF_NODE.get(name) : undefined
    if (node === undefined || render === undefined) return undefined
    return (host, view) => {
      const nodes = shownNodes(view)
      return nodes === undefined ? host : render(host, view, Number(node), nodes)
    }
  },

  /** A CPU goes by another number here, and the directory of the CPUs has it under the same one. */
  renderLink(path, host) {
    const shown = CPU_OF_NODE.exec(path)?.[1]
    return shown === undefined ? host : host.replace(/cpu\d+$/, shown)
  },

  isFleeting: path => NODE.test(path) || CPU_OF_NODE.test(path),
}

function isShown(name: string, nodes: readonly number[]): boolean {
  const node = NODE.exec(name)?.[1]
  return node === undefined || nodes.includes(Number(node))
}

/** Of the nodes in a list of the host's those that the container sees; other text stays. */
const limitList =
  (isListed: (view: SysView, node: number) => boolean): SysRender =>
  (host, view) => {
    const nodes = shownNodes(view)
    const listed = nodes && findCpus(host)
    if (nodes === undefined || listed === undefined) return host
    return `${renderCpuList(listed.filter(node => nodes.includes(node) && isListed(view, node)))}\n`
  }

const limitNodes = limitList(() => true)

const LISTS: ReadonlyMap<string, SysRender> = new Map([
  ['online', limitNodes],
  ['has_memory', limitNodes],
  ['has_normal_memory', limitNodes],
  ['has_high_memory', limitNodes],
  ['has_cpu', limitList(hasCpu)],
])

/** Whether a visible CPU is on the node. */
function hasCpu(view: SysView, node: number): boolean {
  const cpus = findCpus(view.hostFile(`${NODE_PATH}/node${node}/cpulist`, node))
  const { shownByHost } = numberingOf(view)
  return cpus?.some(cpu => shownByHost.has(cpu)) ?? false
}

/** Makes a node's text for a container that sees these nodes. */
type NodeRender = (host: string, view: SysView, node: number, nodes: readonly number[]) => string

const OF_NODE: ReadonlyMap<string, NodeRender> = new Map([
  ['cpulist', (host, view) => limitSet(host, numberingOf(view), true)],
  ['cpumap', (host, view) => limitSet(host, numberingOf(view), false)],
  ['distance', (host, view, _, nodes) => limitDistances(host, hostNodes(view), nodes)],
  ['meminfo', renderNodeMeminfo],
  ['vmstat', renderNodeVmstat],
])

/** libnuma takes the first distance for the first node that it finds in the directory, and so on: distance.c. */
function limitDistances(host: string, online: readonly number[], nodes: readonly number[]): string {
  const distances = host.trim().split(' ')
  if (distances.length !== online.length) return host
  return `${distances.filter((_, i) => nodes.includes(online[i] ?? -1)).join(' ')}\n`
}
