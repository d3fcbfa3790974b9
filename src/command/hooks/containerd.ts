/** What containerd is told in its configuration, as its CRI plugin understands it. */

import { dirname, normalize } from 'node:path'
import type { Host } from '../../host/host.ts'
import { arrayOf, type Fields, objectOf, stringOf } from '../../host/json.ts'
import { namesOf } from './ours.ts'
import { parseToml } from './toml.ts'

export const CONTAINERD_CONFIG = '/etc/containerd/config.toml'

/** The names of the plugin that has the runtimes: of containerd 2.x, of 1.x, and in a file of version 1. */
export const CRI_RUNTIME = 'io.containerd.cri.v1.runtime'
export const CRI_V2 = 'io.containerd.grpc.v1.cri'
export const CRI_V1 = 'cri'

export interface CriRuntimes {
  runtimes: Readonly<Record<string, Fields>>
  defaultName: string | undefined
}

/** What a configuration says of the plugin by one of its names. */
export function criRuntimesOf(config: Fields, plugin: string): CriRuntimes | undefined {
  const table = objectOf(objectOf(objectOf(config.plugins)?.[plugin])?.containerd)
  if (table === undefined) return undefined
  const named = Object.entries(objectOf(table.runtimes) ?? {})
  const runtimes = named.flatMap(([name, value]) => {
    const runtime = objectOf(value)
    return runtime === undefined ? [] : [[name, runtime] as const]
  })
  return {
    runtimes: Object.fromEntries(runtimes),
    defaultName: stringOf(table.default_runtime_name),
  }
}

/** What a configuration says of it by any of its names. */
export function anyCriRuntimesOf(config: Fields): CriRuntimes | undefined {
  return [CRI_RUNTIME, CRI_V2, CRI_V1]
    .map(plugin => criRuntimesOf(config, plugin))
    .find(found => found !== undefined)
}

/** Whether the CRI plugin is turned off, as in the file that Docker's package containerd.io ships. */
export const isCriDisabled = (config: Fields): boolean =>
  namesOf(config.disabled_plugins).some(name => [CRI_RUNTIME, CRI_V2, CRI_V1].includes(name))

/** The paths that a file imports, absolute; the last part of one may be a pattern. */
export const importsOf = (path: string, config: Fields): string[] =>
  namesOf(arrayOf(config.imports)).map(each =>
    normalize(each.startsWith('/') ? each : `${dirname(path)}/${each}`),
  )

/** The configuration with what it imports, in the order in which containerd reads them. */
export function readContainerdConfigs(
  host: Host,
  path: string,
): { path: string; config: Fields }[] {
  const found: { path: string; config: Fields }[] = []
  const pending = [path]
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const text = host.tryRead(next.slice(1))
    if (text === undefined || found.some(each => each.path === next)) continue
    const config = parseToml(`read ${next}`, text)
    found.push({ path: next, config })
    pending.push(...importsOf(next, config).flatMap(each => expand(host, each)))
  }
  return found
}

/** The files that a pattern with `*` in its last part stands for. */
export function expand(host: Host, pattern: string): string[] {
  if (!pattern.includes('*')) return [pattern]
  const [head = '', tail = ''] = pattern.slice(dirname(pattern).length + 1).split('*')
  return host
    .list(dirname(pattern).slice(1))
    .filter(name => name.startsWith(head) && name.endsWith(tail))
    .sort()
    .map(name => `${dirname(pattern)}/${name}`)
}
