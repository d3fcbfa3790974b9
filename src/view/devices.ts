/**
 * The block devices that a container has: nodes in its /dev, and the disk below its root directory. They are looked up
 * in the container's own directories, which may hang: for the server a worker does it.
 */

import { isAlive } from '../container/identity.ts'
import type { Beginning } from '../host/beginning.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { type Mount, MountTree, parseMounts } from '../host/mountinfo.ts'
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
  if (mounts === undefined) return undefined
  const tree = new MountTree(parseMounts(mounts.text))
  const base = findBase(tree, init)
  const path = base === '' ? '/' : base
  const entered = tree.lookUp(path)
  const root = entered.at(-1)
  if (root?.mountPoint !== path) return undefined
  // Looking up a name asks the file system that it is in, so all on the way to `dev` must be trusted. A mount that was
  // not read may lie on it.
  const isTrusted = mounts.isWhole && entered.every(isLocal) && isRuntimes(root, init)
  const nodes = isTrusted ? collectNodes(host, `${process}/root`, base, tree) : []
  const rootDisk = findDisk(host, root)
  // By now the pid may be another process's.
  return isAlive(host, init) ? { nodes, rootDisk, isEarly: base !== '' } : undefined
}

/**
 * The path of the container's root in the namespace of its init: '' unless that has not called pivot_root(2) yet. Until
 * then its own root is the host's, with the host's /dev.
 */
function findBase({ mounts }: MountTree, { rootMount }: Init): string {
  const own = mounts.find(({ id }) => id === rootMount)
  return own === undefined || own.mountPoint === '/' ? '' : own.mountPoint
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
const isRuntimes = (root: Mount, { rootMount }: Init) =>
  root.fsType !== 'overlay' || root.id === rootMount

function collectNodes(host: Host, root: string, base: string, { mounts }: MountTree): BlockNode[] {
  const local = new Set(
    mounts.filter(mount => isLocal(mount) && mount.fsType !== 'overlay').map(({ id }) => id),
  )
  const mountPoints = new Set(mounts.map(({ mountPoint }) => mountPoint))
  const found = listBlockNodes(host.path(`${root}${base}/dev`), {
    isLocal: mountId => local.has(mountId),
    isMountPoint: name => mountPoints.has(`${base}/dev/${name}`),
  })
  return found.map(node => ({ ...node, wholeDisk: findWholeDisk(host, node) }))
}

function findDisk(host: Host, root: Mount): DeviceNumber | undefined {
  const device = findDevice(host, root)
  return device && (findWholeDisk(host, device) ?? device)
}
