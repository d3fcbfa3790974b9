/** Reads the memory of a container and of its host, of one moment for all numbers of a file. */

import type { Memory } from '../../cgroup/memory.ts'
import type { View } from '../view.ts'
import { HostMeminfo } from './host-meminfo.ts'
import { type LimitedMemory, type LimitedSwap, limitMemory, limitSwap } from './limit.ts'

interface ViewedMemory {
  cgroup: Memory
  host: HostMeminfo
  memory: LimitedMemory
  swap: LimitedSwap
}

/** `undefined` when the host's files are what the container sees. */
export function readMemory(
  view: Pick<View, 'memory' | 'hostText' | 'options'>,
): ViewedMemory | undefined {
  const cgroup = view.memory()
  if (cgroup === undefined) return undefined
  host.update(view.hostText('proc/meminfo'))
  const memory = limitMemory(host.get('MemTotal'), cgroup)
  if (memory === undefined) return undefined
  const hostSwap = { totalKib: host.get('SwapTotal'), freeKib: host.get('SwapFree') }
  const swap = limitSwap(hostSwap, cgroup, view.options)
  return { cgroup, host, memory, swap }
}

/** One for all containers. */
const host = new HostMeminfo()
