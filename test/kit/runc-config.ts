/** config.json of an OCI bundle, as runc and crun read it: what both kinds of test containers are made of. */

import type { Site } from './site.ts'

interface RuncConfig {
  rootfs: string
  command: readonly string[]
  env: readonly string[]
  hostname?: string
  mounts: readonly Mount[]
  hooks: Readonly<Record<string, readonly HookEntry[]>>
  annotations?: Readonly<Record<string, string>>
  /** Each of its own, or that of a path such as `/proc/PID/ns/pid`. */
  namespaces: readonly Namespace[]
  /** The runtime's choice when missing. */
  cgroupsPath?: string
  rootfsPropagation?: string | undefined
  maskedPaths?: readonly string[] | undefined
  resources: Resources
  device?: Device | undefined
  /** Inside; root when missing. */
  uid?: number | undefined
  /** None when missing. */
  capabilities?: readonly string[] | undefined
  /** Whether /dev/fuse may be opened, where it is bound. */
  fuse?: boolean | undefined
}

/** As config.json has it. */
export interface Mount {
  destination: string
  type: string
  source: string
  options?: readonly string[]
}

interface Namespace {
  type: string
  path?: string | undefined
}

export interface HookEntry {
  path: string
  args: readonly string[]
  env: readonly string[]
  timeout: number
}

interface Resources {
  memoryBytes?: number | undefined
  /** What may be in swap besides; the kernel's choice when missing. */
  swapBytes?: number | undefined
  /** In PERIOD_USEC. */
  quotaUsec?: number | undefined
  cpus?: string | undefined
}

/** A block device of the host that the container may use. */
interface Device {
  path: string
  major: number
  minor: number
}

export const PERIOD_USEC = 100_000

/** Of /dev/fuse: admin-guide/devices.txt. */
const FUSE = { major: 10, minor: 229 }

/** Root inside is the user 100000 of the host. */
const MAPPINGS = [{ containerID: 0, hostID: 100_000, size: 65_536 }]

export const PROC: Mount = { destination: '/proc', type: 'proc', source: 'proc' }

export const DEV: Mount = {
  destination: '/dev',
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'mode=755', 'size=64k'],
}

export const SYS: Mount = {
  destination: '/sys',
  type: 'sysfs',
  source: 'sysfs',
  options: ['nosuid', 'noexec', 'nodev', 'ro'],
}

export const bindMount = (source: string, destination = source): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', 'ro'],
})

/** Our hook with these arguments, for a bundle's config.json. */
export function hookEntry(site: Site, args: readonly string[], timeout: number): HookEntry {
  return {
    path: site.executable,
    args: ['procveil', ...site.options, 'hook', ...args],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    timeout,
  }
}

export function renderConfig(config: RuncConfig): string {
  const { rootfs, command, env, hostname, mounts, hooks, annotations, device } = config
  const { namespaces, cgroupsPath, rootfsPropagation, maskedPaths, resources } = config
  const { uid = 0, capabilities } = config
  const hasUsers = namespaces.some(({ type }) => type === 'user')
  // JSON leaves out what is undefined.
  return JSON.stringify({
    ociVersion: '1.0.2',
    root: { path: rootfs, readonly: false },
    hostname,
    process: {
      user: { uid, gid: uid },
      args: command,
      env,
      cwd: '/',
      capabilities: capabilities && {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      },
    },
    mounts,
    annotations,
    hooks,
    linux: {
      cgroupsPath,
      namespaces,
      uidMappings: hasUsers ? MAPPINGS : undefined,
      gidMappings: hasUsers ? MAPPINGS : undefined,
      devices: device && [{ ...device, type: 'b', fileMode: 0o660, uid: 0, gid: 0 }],
      resources: { devices: allowances(config), memory: memory(resources), cpu: cpu(resources) },
      rootfsPropagation,
      maskedPaths,
    },
  })
}

function allowances({ device, fuse }: Pick<RuncConfig, 'device' | 'fuse'>) {
  const allow = (type: string, { major, minor }: Pick<Device, 'major' | 'minor'>) => [
    { allow: true, type, major, minor, access: 'rwm' },
  ]
  return [
    { allow: false, access: 'rwm' },
    ...(device === undefined ? [] : allow('b', device)),
    ...(fuse ? allow('c', FUSE) : []),
  ]
}

function memory({ memoryBytes, swapBytes }: Resources) {
  if (memoryBytes === undefined) return undefined
  const swap = swapBytes === undefined ? undefined : memoryBytes + swapBytes
  return { limit: memoryBytes, swap }
}

const cpu = ({ cpus, quotaUsec }: Resources) => ({
  cpus,
  quota: quotaUsec,
  period: quotaUsec === undefined ? undefined : PERIOD_USEC,
})
