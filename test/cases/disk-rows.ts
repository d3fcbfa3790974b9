/** A container with a root directory on sda1, and the rows of its /proc/diskstats. */

import type { Test } from 'tap'
import { mountRoot, partitionSda } from './block-devices.ts'
import { type Files, type Setting, type Tenant, unified } from './tenant.ts'

export const SDA_IO = '8:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n'

/** A container whose root is on sda1, and which did the I/O above. */
export function onSda1(t: Test, files: Files = {}, setting: Setting = {}): Tenant {
  return prepare(unified(t, { '/ctr/io.stat': SDA_IO, ...files }, setting))
}

export function prepare(tenant: Tenant, root = '8:1 / / rw - ext4 /dev/sda1 rw'): Tenant {
  partitionSda(tenant)
  mountRoot(tenant, root)
  return tenant
}

/** Rows by device name, after a look at what parsers want of each. */
export function rows(tenant: Tenant): Record<string, number[]> {
  const found: Record<string, number[]> = {}
  for (const line of tenant.read('diskstats').split('\n').slice(0, -1)) {
    const [major, minor, name = '', ...numbers] = line.trim().split(/ +/)
    const whole = [major, minor, ...numbers].every(word => /^\d+$/.test(word ?? ''))
    if (!whole || /^\d+$/.test(name) || ![11, 15, 17].includes(numbers.length)) {
      throw new Error(`Cannot parse the row "${line}"`)
    }
    found[name] = numbers.map(Number)
  }
  return found
}
