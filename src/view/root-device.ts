/**
 * The block device below a container's root directory. What a container's mountinfo says may be of its own
 * making: paths in it are looked up on the host only where that cannot make us wait.
 */

import { fstatSync } from 'node:fs'
import { splitDevice } from '../host/device-number.ts'
import type { Host } from '../host/host.ts'
import { type Mount, unescapeOctal } from '../host/mountinfo.ts'
import type { DeviceNumber } from '../proc/disk/counters.ts'
import { withLocalPath } from './local-path.ts'

/** File systems that need no process and no other machine for their answers. */
const LOCAL = new Set([
  'bcachefs',
  'btrfs',
  'devtmpfs',
  'erofs',
  'ext2',
  'ext3',
  'ext4',
  'f2fs',
  'jfs',
  'overlay',
  'ramfs',
  'rootfs',
  'squashfs',
  'tmpfs',
  'xfs',
  'zfs',
])

export const isLocal = (mount: Mount): boolean => LOCAL.has(mount.fsType)

/** An overlay may lie on an overlay. At most this many are followed. */
const DEEPEST = 4

/**
 * The device that a mount lies on; `undefined` for file systems in memory or on another machine, and where it cannot be
 * told.
 */
export function findDevice(host: Host, mount: Mount, depth = 0): DeviceNumber | undefined {
  if (mount.major !== 0) return { major: mount.major, minor: mount.minor }
  if (mount.fsType !== 'overlay') return sourceDevice(host, mount.source)
  if (depth === DEEPEST) return undefined
  for (const layer of overlayLayers(mount.superOptions)) {
    const below = withLocalPath(host, layer, isLocal, (_, mount) => mount)
    if (below !== undefined) return findDevice(host, below, depth + 1)
  }
  return undefined
}

/** The disk that `device` is a partition of, by sysfs; `undefined` for anything but a partition. */
export function findWholeDisk(host: Host, device: DeviceNumber): DeviceNumber | undefined {
  const directory = `sys/dev/block/${device.major}:${device.minor}`
  if (host.tryRead(`${directory}/partition`) === undefined) return undefined
  const parent = /^(\d+):(\d+)\s*$/.exec(host.tryRead(`${directory}/../dev`) ?? '')
  return parent === null ? undefined : { major: Number(parent[1]), minor: Number(parent[2]) }
}

/** btrfs and other file systems have device numbers of their own, but name their disk as the mount's source. */
function sourceDevice(host: Host, source: string): DeviceNumber | undefined {
  if (!source.startsWith('/dev/') || hasDots(source)) return undefined
  return withLocalPath(host, source, isLocal, fd => {
    const stat = fstatSync(fd)
    return stat.isBlockDevice() ? splitDevice(stat.rdev) : undefined
  })
}

/**
 * The upper directory, then the topmost of the lower ones: filesystems/overlayfs.rst. A relative path is left out: it
 * says nothing without the working directory of the process that mounted the overlay.
 */
function overlayLayers(superOptions: string): string[] {
  let upper = ''
  let lower = ''
  for (const option of superOptions.split(',')) {
    const [, key, value = ''] = /^(upperdir|lowerdir\+?)=(.*)$/.exec(option) ?? []
    if (key === 'upperdir') upper = unescapeOctal(value)
    else if (key === 'lowerdir') lower = firstLayer(unescapeOctal(value))
    else if (key === 'lowerdir+' && lower === '') lower = unescapeOctal(value)
  }
  return [upper, lower].filter(path => path.startsWith('/') && !hasDots(path))
}

/** The first of the paths in `lowerdir`, which colons separate; a colon in a path has a backslash before it. */
function firstLayer(lowerdir: string): string {
  const first = /^(?:\\.|[^:\\])*/.exec(lowerdir)?.[0] ?? ''
  return first.replace(/\\(.)/g, '$1')
}

const hasDots = (path: string) => /\/\.\.?(?:\/|$)/.test(path)
