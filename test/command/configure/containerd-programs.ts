/**
 * containerd and ctr as functions, after `containerd config` of 1.6, 1.7 and 2.1: what a file says is laid over the
 * defaults. 1.x forgets its own runtimes when a file names one, and all of a plugin when an imported file names it.
 */

import { readFileSync } from 'node:fs'
import { parse, stringify } from 'smol-toml'
import { objectOf } from '../../../src/host/json.ts'
import { fixture, type Programs } from './site.ts'

type Table = Record<string, unknown>

const DEFAULTS = { '1.6': 'default-1.6', '1.7': 'kubeadm-1.7', '2.1': 'default-2.1' }

export type Release = keyof typeof DEFAULTS

export function containerdOf(release: Release): Programs {
  const defaults = parse(fixture(`containerd/${DEFAULTS[release]}.toml`))
  return {
    ctr: () => ({ stdout: fixture('containerd/oci-spec-1.6.json') }),
    containerd: args => {
      if (args[0] === 'config') return { stdout: stringify(defaults) }
      try {
        return { stdout: stringify(load(release, defaults, args[1] ?? '')) }
      } catch (error) {
        return { status: 1, stderr: `containerd: failed to load TOML: ${error}` }
      }
    },
  }
}

function load(release: Release, defaults: Table, path: string): Table {
  const file = parse(readFileSync(path, 'utf8')) as Table
  const isFirst = release.startsWith('1')
  const names = isFirst
    ? { cri: 'io.containerd.grpc.v1.cri' }
    : { 'io.containerd.grpc.v1.cri': 'io.containerd.cri.v1.runtime' }
  const plugins = renamed(objectOf(file.plugins) ?? {}, names)
  let loaded = merged(defaults, { ...file, plugins }, isFirst)
  for (const each of (file.imports ?? []) as string[]) {
    const imported = load(release, {}, each)
    if (isFirst) Object.assign(loaded.plugins as Table, imported.plugins)
    else loaded = merged(loaded, imported, false)
  }
  const isDisabled = ((file.disabled_plugins ?? []) as string[]).length > 0
  return isDisabled ? { ...loaded, plugins: {} } : { ...loaded, version: isFirst ? 2 : 3 }
}

/** A file that has the new name uses the old one for something else. */
const renamed = (table: Table, names: Readonly<Record<string, string>>): Table =>
  Object.fromEntries(
    Object.entries(table).map(([key, value]) => {
      const name = names[key]
      return [name === undefined || name in table ? key : name, value]
    }),
  )

function merged(below: Table, above: Table, isFirst: boolean): Table {
  const made = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const [lower, upper] = [objectOf(made[key]), objectOf(value)]
    const isReplaced = lower === undefined || upper === undefined || (isFirst && key === 'runtimes')
    made[key] = isReplaced ? value : merged(lower, upper as Table, isFirst)
  }
  return made
}
