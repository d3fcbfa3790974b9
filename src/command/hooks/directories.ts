/**
 * The hook directories that podman and CRI-O read, oci-hooks(5).
 *
 * Both read /usr/share/containers/oci/hooks.d when nothing else is configured, and not the directory in /etc: podman by
 * DefaultHooksDirs (containers/common, pkg/config/default.go, as in podman 4.3.1, 5.4.0 and 5.8.2), CRI-O by HooksDir
 * (pkg/config/config.go). podman with an empty list reads both, as root (libpod/container_internal.go,
 * setupOCIHooks); CRI-O then reads none.
 */

import type { Host } from '../../host/host.ts'
import { arrayOf, type Fields, objectOf } from '../../host/json.ts'
import { namesOf } from './ours.ts'
import { parseToml } from './toml.ts'

export const DEFAULT_DIRECTORY = '/usr/share/containers/oci/hooks.d'
const OVERRIDE_DIRECTORY = '/etc/containers/oci/hooks.d'

export type HooksRuntime = 'podman' | 'crio'

export interface HookDirectories {
  /** Of two files with one name, that in the later directory counts. */
  directories: readonly string[]
  /** The file that names them; `undefined` where they are the default. */
  from: string | undefined
}

/** The main configuration file, and what stands in for it. */
export const CONFIGS: Readonly<Record<HooksRuntime, string>> = {
  podman: '/etc/containers/containers.conf',
  crio: '/etc/crio/crio.conf',
}

const TABLES: Readonly<Record<HooksRuntime, readonly [string, string]>> = {
  podman: ['engine', ''],
  crio: ['crio', 'runtime'],
}

/** Throws a SyntaxError for a configuration file that is no TOML. `config` is read instead of the main one. */
export function readHookDirectories(
  host: Host,
  runtime: HooksRuntime,
  config: string = CONFIGS[runtime],
): HookDirectories {
  let found: HookDirectories = { directories: [DEFAULT_DIRECTORY], from: undefined }
  for (const path of configFiles(host, runtime, config)) {
    const text = host.tryRead(path.slice(1))
    if (text === undefined) continue
    const [outer, inner] = TABLES[runtime]
    const table = objectOf(parseToml(`read ${path}`, text)[outer])
    const value = (inner === '' ? table : objectOf(table?.[inner]))?.hooks_dir
    if (arrayOf(value) === undefined) continue
    // containers.conf(5): `{append=true}` in a list adds to the list of the files before.
    const appends = arrayOf(value)?.some(each => objectOf(each)?.append === true)
    const directories = [...(appends ? found.directories : []), ...namesOf(value)]
    found = { directories, from: path }
  }
  if (found.directories.length > 0 || runtime === 'crio') return found
  return { ...found, directories: [DEFAULT_DIRECTORY, OVERRIDE_DIRECTORY] }
}

/** What CRI-O is told, file by file. Throws a SyntaxError for a file that is no TOML. */
export function readCrioConfigs(host: Host): { path: string; config: Fields }[] {
  return configFiles(host, 'crio', CONFIGS.crio).flatMap(path => {
    const text = host.tryRead(path.slice(1))
    return text === undefined ? [] : [{ path, config: parseToml(`read ${path}`, text) }]
  })
}

/** In the order in which they are read: what a later one says counts. */
function configFiles(host: Host, runtime: HooksRuntime, config: string): string[] {
  const inDirectory = (directory: string, suffix: string) =>
    host
      .list(directory.slice(1))
      .filter(name => name.endsWith(suffix))
      .sort()
      .map(name => `${directory}/${name}`)
  if (runtime === 'crio') return [config, ...inDirectory(`${config}.d`, '')]
  const own = '/usr/share/containers/containers.conf'
  return [
    ...[own, ...inDirectory(`${own}.d`, '.conf')],
    ...[config, ...inDirectory(`${config}.d`, '.conf')],
  ]
}
