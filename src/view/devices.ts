/** The block devices that a container has: nodes in its /dev, and the disk below its root directory. */

import { isAlive } from '../container/identity.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { eachMount, findMount, type Mount } from '../host/mountinfo.ts'
import { MOST_MOUNTINFO_BYTES } from '../host/mounts-of.ts'
import type { DeviceNumber } from '../proc/disk/counters.ts'
import type { BlockNode } from '../proc/disk/names.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import { listBlockNodes } from './block-nodes.ts'
import { findDevice, findWholeDisk, isLocal } from './root-device.ts'

/** A container's first process on the host. */
interface Init {
  pid: number
  /** When the process was created: /proc/PID/stat field 22. */
  startTicks: number
  /** Id in mountinfo of the root's mount that the runtime made; `undefined` when it is not known. */
  rootMount: number | undefined
}

const REFRESH_USEC = 10_000_000

export class Devices {
  readonly #host: Host
  readonly #init: Init
  #known: ContainerDevices = { nodes: [], rootDisk: undefined }
  #readUsec: number | undefined
  #root: { mountId: number; disk: DeviceNumber | undefined } | undefined

  constructor(host: Host, init: Init) {
    this.#host = host
    this.#init = init
  }

  /** The container's devices as they were at most 10 seconds ago, or before the container ended. */
  read(): ContainerDevices {
    const now = this.#host.clock.monotonicUsec()
    if (this.#readUsec === undefined || now - this.#readUsec >= REFRESH_USEC) {
      this.#readUsec = now
      this.#known = this.#readNow() ?? this.#known
    }
    return this.#known
  }

  #readNow(): ContainerDevices | undefined {
    const process = `proc/${this.#init.pid}`
    if (!isAlive(this.#host, this.#init)) return undefined
    const mounts = orUndefined(() =>
      this.#host.readBeginning(`${process}/mountinfo`, MOST_MOUNTINFO_BYTES),
    )
    const root = findMount(mounts?.text ?? '', '/')
    if (mounts === undefined || root === undefined) return undefined
    // Looking up the name `dev` asks the root's file system, so that one must be trusted. A mount that was not read may
    // lie on it.
    const isTrusted = mounts.isWhole && this.#isTrusted(root)
    const nodes = isTrusted ? this.#readNodes(`${process}/root/dev`, mounts.text) : []
    const rootDisk = this.#readRootDisk(root)
    // By now the pid may be another process's.
    return isAlive(this.#host, this.#init) ? { nodes, rootDisk } : undefined
  }

  #readNodes(directory: string, mountinfo: string): BlockNode[] {
    const local = new Set<number>()
    const mountPoints = new Set<string>()
    eachMount(mountinfo, mount => {
      if (isLocal(mount) && mount.fsType !== 'overlay') local.add(mount.id)
      mountPoints.add(mount.mountPoint)
    })
    const found = listBlockNodes(this.#host.path(directory), {
      isLocal: mountId => local.has(mountId),
      isMountPoint: name => mountPoints.has(`/dev/${name}`),
    })
    return found.map(node => ({ ...node, wholeDisk: findWholeDisk(this.#host, node) }))
  }

  /** The disk that a mount lies on stays the same, so only another mount is looked up. */
  #readRootDisk(root: Mount): DeviceNumber | undefined {
    if (this.#root?.mountId !== root.id) {
      const device = findDevice(this.#host, root)
      const disk = device && (findWholeDisk(this.#host, device) ?? device)
      this.#root = { mountId: root.id, disk }
    }
    return this.#root.disk
  }

  /**
   * An overlay is as local as its layers. Those of the runtime's overlay are local; those of an overlay that the
   * container made may hang.
   */
  #isTrusted(root: Mount): boolean {
    return isLocal(root) && (root.fsType !== 'overlay' || root.id === this.#init.rootMount)
  }
}
