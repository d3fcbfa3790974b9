/** Block devices for a container on files: what its root directory lies on, and nodes in its /dev. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mountIdOf } from '../machines/machine.ts'
import { INIT, ROOT_MOUNT, type Tenant } from './tenant.ts'

export const MKNOD = process.getuid?.() === 0 ? {} : { skip: 'mknod needs root' }

/** The init's mounts: its root by `root`, such as `8:1 / / rw - ext4 /dev/sda1 rw`, and a /dev in memory. */
export function mountRoot(tenant: Tenant, root: string): void {
  // Only a mount that is really there is looked into, so the one of the test's folder stands for /dev.
  const dev = mountIdOf(tenant.machine.directory)
  tenant.set({
    [`proc/${INIT}/mountinfo`]: `${ROOT_MOUNT} 1 ${root}\n${dev} ${ROOT_MOUNT} 0:51 / /dev rw - tmpfs tmpfs rw\n`,
  })
  mkdirSync(join(tenant.machine.directory, DEV), { recursive: true })
}

const DEV = `proc/${INIT}/root/dev`

/** A node in the container's /dev; with a leading slash, on the host. */
export function makeNode(tenant: Tenant, name: string, device: string): void {
  const path = name.startsWith('/') ? name : join(DEV, name)
  const file = join(tenant.machine.directory, path)
  mkdirSync(dirname(file), { recursive: true })
  execFileSync('mknod', [file, 'b', ...device.split(':')])
}

/** The host's root by `root`, as in `mountRoot`: what is not on a mount of the host is not looked at. */
export function mountHostRoot({ machine }: Tenant, root: string): void {
  const others = machine.read('proc/self/mountinfo')
  machine.set({
    'proc/self/mountinfo': `${mountIdOf(machine.directory)} 1 ${root}\n${others}`,
  })
}

/** sda1 as a partition of sda, in sysfs. */
export function partitionSda(tenant: Tenant): void {
  tenant.set({
    'sys/devices/pci/block/sda/dev': '8:0',
    'sys/devices/pci/block/sda/sda1/dev': '8:1',
    'sys/devices/pci/block/sda/sda1/partition': '1',
    'sys/devices/virtual/block/dm-0/dev': '253:0',
  })
  const links = join(tenant.machine.directory, 'sys/dev/block')
  mkdirSync(links, { recursive: true })
  symlinkSync('../../devices/pci/block/sda', join(links, '8:0'))
  symlinkSync('../../devices/pci/block/sda/sda1', join(links, '8:1'))
  symlinkSync('../../devices/virtual/block/dm-0', join(links, '253:0'))
}
