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

/** A line of a runtime's configuration that keeps plugins from adding hooks. */
export interface Refusal {
  path: string
  line: string
}

/**
 * Returns what keeps plugins of the runtimes here from adding hooks: NRI is off, or its default validator, of version 0.10
 * and newer, has each container fail that gets some. Of two files that contradict each other the stricter one counts.
 * Throws a SyntaxError for a configuration that is no TOML.
 */
export function findRefusal(host: Host): Refusal | undefined {
  const files = [
    ...readContainerdConfigs(host, CONTAINERD_CONFIG).map(({ path, config }) => ({
      path,
      line: refusedByContainerd(config),
    })),
    ...readCrioConfigs(host).map(({ path, config }) => ({ path, line: refusedByCrio(config) })),
  ]
  return files.find((each): each is Refusal => each.line !== undefined)
}

/** plugins/default-validator of NRI. */
function refusedByContainerd({ plugins }: Fields): string | undefined {
  const nri = objectOf(objectOf(plugins)?.['io.containerd.nri.v1.nri'])
  if (nri?.disable === true) return 'disable = true'
  const validator = objectOf(nri?.default_validator)
  return validator?.enable === true && validator.reject_oci_hook_adjustment === true
    ? 'reject_oci_hook_adjustment = true'
    : undefined
}

/** internal/config/nri of CRI-O. */
function refusedByCrio({ crio }: Fields): string | undefined {
  const nri = objectOf(objectOf(crio)?.nri)
  if (nri?.enable_nri === false) return 'enable_nri = false'
  const validator = objectOf(nri?.default_validator)
  return validator?.nri_enable_default_validator === true &&
    validator.nri_validator_reject_oci_hook_adjustment === true
    ? 'nri_validator_reject_oci_hook_adjustment = true'
    : undefined
}
