/**
 * The block devices that a container has: nodes in its /dev, and the disk below its root directory. They are looked up
 * in the container's own directories, which may hang: for the server a worker does it.
 */

import { isAlive } from '../container/identity.ts'
import type { Beginning } from '../host/beginning.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { eachMount, findMount, type Mount } from '../host/mountinfo.ts'
import { MOST_MOUNTINFO_BYTES, readMountsOf } from '../host/mounts-of.ts'
import type { DeviceNumber } from '../proc/disk/counters.ts'
import type { BlockNode } from '../proc/disk/names.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import { listBlockNodes } from './block-nodes.ts'
import { findDevice, findWholeDisk, isLocal } from './root-device.ts'

/** A container's first process on the host. */
export interface Init {
  pid: number
  /** When the process was created: /proc/PID/stat field 22. */
  startTicks: number
  /** Id in mountinfo of the root's mount that the runtime made; `undefined` when it is not known. */
  rootMount: number | undefined
}

/** What was found so long ago is looked for again. */
const REFRESH_USEC = 10_000_000

/** Devices that are looked up here and now, for a process that may hang, or a container that is ours. */
export class Devices {
  readonly #host: Host
  readonly #init: Init
  #known: ContainerDevices = { nodes: [], rootDisk: undefined }
  #readUsec: number | undefined

  constructor(host: Host, init: Init) {
    this.#host = host
    this.#init = init
  }

  /** The container's devices as they were at most 10 seconds ago, or before the container ended. */
  read(): ContainerDevices {
    const now = this.#host.clock.monotonicUsec()
    if (this.#readUsec === undefined || now - this.#readUsec >= REFRESH_USEC) {
      this.#readUsec = now
      const { nodes, rootDisk } = collectDevices(this.#host, this.#init) ?? this.#known
      this.#known = { nodes, rootDisk }
    }
    return this.#known
  }
}

interface FoundDevices extends ContainerDevices {
  /** Whether the container's root was not its init's yet: its program may find more. */
  isEarly: boolean
}

/** Returns `undefined` when the process has ended. */
export function collectDevices(host: Host, init: Init): FoundDevices | undefined {
  const process = `proc/${init.pid}`
  if (!isAlive(host, init)) return undefined
  const mounts = orUndefined(() => readMounts(host, init.pid))
  const base = mounts === undefined ? '' : findBase(mounts.text, init)
  const root = findMount(mounts?.text ?? '', base === '' ? '/' : base)
  if (mounts === undefined || root === undefined) return undefined
  // Looking up the name `dev` asks the root's file system, so that one must be trusted. A mount that was not read may
  // lie on it.
  const isTrusted = mounts.isWhole && isRuntimes(root, init)
  const nodes = isTrusted ? collectNodes(host, `${process}/root${base}`, root, mounts.text) : []
  const rootDisk = findDisk(host, root)
  // By now the pid may be another process's.
  return isAlive(host, init) ? { nodes, rootDisk, isEarly: base !== '' } : undefined
}

/**
 * The path of the container's root in the namespace of its init: '' unless that has not called pivot_root(2) yet. Until
 * then its own root is the host's, with the host's /dev.
 */
function findBase(mountinfo: string, { rootMount }: Init): string {
  let base = ''
  eachMount(mountinfo, ({ id, mountPoint }) => {
    if (id === rootMount && mountPoint !== '/') base = mountPoint
  })
  return base
}

/** Returns the mounts in the first part of the file where there are too many. Throws when there is no such process. */
function readMounts(host: Host, pid: number): Beginning {
  const text = orUndefined(() => readMountsOf(host, pid))
  if (text !== undefined) return { text, isWhole: true }
  return host.readBeginning(`proc/${pid}/mountinfo`, MOST_MOUNTINFO_BYTES)
}

/**
 * An overlay is as local as its layers. Those of the runtime's overlay are local; those of an overlay that the
 * container made may hang.
 */
function isRuntimes(root: Mount, { rootMount }: Init): boolean {
  return isLocal(root) && (root.fsType !== 'overlay' || root.id === rootMount)
}

function collectNodes(host: Host, directory: string, root: Mount, mountinfo: string): BlockNode[] {
  const local = new Set<number>()
  const mountPoints = new Set<string>()
  eachMount(mountinfo, mount => {
    if (isLocal(mount) && mount.fsType !== 'overlay') local.add(mount.id)
    mountPoints.add(mount.mountPoint)
  })
  const dev = `${root.mountPoint === '/' ? '' : root.mountPoint}/dev`
  const found = listBlockNodes(host.path(`${directory}/dev`), {
    isLocal: mountId => local.has(mountId),
    isMountPoint: name => mountPoints.has(`${dev}/${name}`),
  })
  return found.map(node => ({ ...node, wholeDisk: findWholeDisk(host, node) }))
}

function findDisk(host: Host, root: Mount): DeviceNumber | undefined {
  const device = findDevice(host, root)
  return device && (findWholeDisk(host, device) ?? device)
}
