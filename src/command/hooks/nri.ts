/** What the service and runtimes are told about NRI. */

import type { Host } from '../../host/host.ts'
import { type Fields, objectOf } from '../../host/json.ts'
import { CONTAINERD_CONFIG, readContainerdConfigs } from './containerd.ts'
import { readCrioConfigs } from './directories.ts'

/** The rules of the service's plugin, beside its configuration. */
export const NRI_RULES = '/etc/procveil/nri.json'

/** Where NRI comes from, for who has none. */
export const NRI_IS_OFF =
  'containerd has it since 1.7, off until 2.0 (disable = false in its table plugins."io.containerd.nri.v1.nri"), and ' +
  'CRI-O since 1.26, off until 1.30 (enable_nri = true in its table crio.nri)'

/** Whether a runtime listens, or has listened, at one of these sockets. */
export const hasSocket = (host: Host, sockets: readonly string[]) =>
  sockets.some(path => host.has(path.slice(1)))

export const NRI_RUNTIMES = ['containerd', 'crio'] as const

export type NriRuntime = (typeof NRI_RUNTIMES)[number]

/** A line of a runtime's configuration that keeps plugins from adding hooks. */
export interface Refusal {
  path: string
  line: string
}

/** The keys of a runtime: plugins/default-validator of NRI for containerd, internal/config/nri of CRI-O. */
interface Keys {
  /** What switches NRI off. */
  off: { key: string; value: boolean }
  /** What switches the default validator on, and what it then fails containers with hooks for. */
  validator: string
  rejects: string
}

const KEYS: Readonly<Record<NriRuntime, Keys>> = {
  containerd: {
    off: { key: 'disable', value: true },
    validator: 'enable',
    rejects: 'reject_oci_hook_adjustment',
  },
  crio: {
    off: { key: 'enable_nri', value: false },
    validator: 'nri_enable_default_validator',
    rejects: 'nri_validator_reject_oci_hook_adjustment',
  },
}

/**
 * Returns what has NRI's default validator, of version 0.10 and newer, fail each container that gets hooks. Of two files that
 * say something of a key the later one counts, as in both runtimes. Throws a SyntaxError for a configuration that is no
 * TOML.
 */
export function findRejection(host: Host, runtime: NriRuntime): Refusal | undefined {
  const { validator, rejects } = KEYS[runtime]
  const tables = tablesOf(host, runtime).flatMap(({ path, table }) => {
    const inner = objectOf(table.default_validator)
    return inner === undefined ? [] : [{ path, table: inner }]
  })
  if (lastSaid(tables, validator)?.value !== true) return undefined
  const said = lastSaid(tables, rejects)
  return said?.value === true ? { path: said.path, line: `${rejects} = true` } : undefined
}

/** Returns what switches NRI off, where a file does. Throws as `findRejection` does. */
export function findOff(host: Host, runtime: NriRuntime): Refusal | undefined {
  const { key, value } = KEYS[runtime].off
  const said = lastSaid(tablesOf(host, runtime), key)
  return said?.value === value ? { path: said.path, line: `${key} = ${value}` } : undefined
}

interface Table {
  path: string
  table: Fields
}

/** What each file says of NRI, in the order in which they are read. */
function tablesOf(host: Host, runtime: NriRuntime): Table[] {
  const files =
    runtime === 'crio' ? readCrioConfigs(host) : readContainerdConfigs(host, CONTAINERD_CONFIG)
  return files.flatMap(({ path, config }) => {
    const table = objectOf(
      runtime === 'crio'
        ? objectOf(config.crio)?.nri
        : objectOf(config.plugins)?.['io.containerd.nri.v1.nri'],
    )
    return table === undefined ? [] : [{ path, table }]
  })
}

function lastSaid(tables: readonly Table[], key: string) {
  const last = tables.findLast(({ table }) => table[key] !== undefined)
  return last && { path: last.path, value: last.table[key] }
}
