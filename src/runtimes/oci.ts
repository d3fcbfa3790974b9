/**
 * runc, crun and youki: each container has a directory, in which one file is the state. The file shows which runtime
 * wrote it, and the directory does not: containerd and docker give the same roots to all three.
 */

import { join } from 'node:path'
import type { Host } from '../host/host.ts'
import { absoluteOf, arrayOf, countOf, objectOf, stringsOf, textOf } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { readStateFields, type StateFields } from './state-file.ts'

export function* findOci(
  host: Host,
  roots: readonly string[],
  _ask?: unknown,
  isWanted: (id: string) => boolean = () => true,
): Generator<Claim> {
  for (const root of roots) {
    for (const id of host.directories(root).filter(isWanted)) {
      const claim = readState(host, `${root}/${id}`, id) ?? readStatus(host, `${root}/${id}`, id)
      if (claim !== undefined) yield claim
    }
  }
}

/** The state files of runc and youki have the same name, and few fields in common. */
function readState(host: Host, directory: string, id: string): Claim | undefined {
  const state = readStateFields(host, `${directory}/state.json`)
  if (state === undefined) return undefined
  const { fields } = state
  // A directory that was copied or renamed names another container.
  if (fields.id !== id) return undefined
  return 'init_process_pid' in fields
    ? claimOfRunc(id, state)
    : claimOfYouki(host, directory, id, state)
}

/**
 * The fields are those of BaseState in runc's libcontainer/container.go. Labels are the annotations and then the
 * bundle, as `key=value`.
 */
function claimOfRunc(id: string, { fields, ownerUid }: StateFields): Claim | undefined {
  const pid = countOf(fields.init_process_pid)
  const startTicks = countOf(fields.init_process_start)
  // A state from before the init was started has neither a pid nor a start time.
  if (pid === undefined || startTicks === undefined) return undefined
  const config = objectOf(fields.config)
  const labels = (arrayOf(config?.labels) ?? []).flatMap(splitLabel)
  const annotations = Object.fromEntries(labels.filter(([key]) => key !== 'bundle'))
  const rootfs = absoluteOf(config?.rootfs)
  return { runtime: 'runc', id, pid, startTicks, name: undefined, rootfs, annotations, ownerUid }
}

function splitLabel(label: unknown): [string, string][] {
  const text = textOf(label) ?? ''
  const equals = text.indexOf('=')
  return equals > 0 ? [[text.slice(0, equals), text.slice(equals + 1)]] : []
}

/**
 * The fields are those of youki's crates/libcontainer/src/container/state.rs. youki records no start time, but it
 * records which cgroup was made.
 */
function claimOfYouki(
  host: Host,
  directory: string,
  id: string,
  { fields, ownerUid }: StateFields,
): Claim | undefined {
  const pid = countOf(fields.pid)
  if (pid === undefined || fields.status === 'stopped') return undefined
  const config = readStateFields(host, `${directory}/youki_config.json`)?.fields
  return {
    runtime: 'youki',
    id,
    pid,
    startTicks: undefined,
    name: undefined,
    annotations: stringsOf(fields.annotations),
    ownerUid,
    rootfs: readBundle(host, fields.bundle)?.rootfs,
    // The cgroup is a path, or `slice:prefix:name` for systemd.
    cgroupName: textOf(config?.cgroup_path)?.split(/[/:]/).at(-1) || id,
  }
}

/** The fields are those of crun's src/libcrun/status.c. Annotations are only in the bundle. */
function readStatus(host: Host, directory: string, id: string): Claim | undefined {
  const status = readStateFields(host, `${directory}/status`)
  if (status === undefined) return undefined
  const { fields, ownerUid } = status
  const pid = countOf(fields.pid)
  const startTicks = countOf(fields['process-start-time'])
  if (pid === undefined || startTicks === undefined) return undefined
  const rootfs = within(fields.bundle, fields.rootfs)
  const annotations = readBundle(host, fields.bundle)?.annotations ?? {}
  return { runtime: 'crun', id, pid, startTicks, name: undefined, rootfs, annotations, ownerUid }
}

export interface Bundle {
  rootfs: string | undefined
  annotations: Record<string, string>
}

/**
 * Reads a bundle's config.json. Returns `undefined` when the file cannot be read, which takes nothing from the state
 * of a container.
 */
export function readBundle(host: Host, bundle: unknown): Bundle | undefined {
  const directory = absoluteOf(bundle)
  if (directory === undefined) return undefined
  const config = readStateFields(host, join(directory, 'config.json').slice(1))
  if (config === undefined) return undefined
  const { root, annotations } = config.fields
  return { rootfs: within(bundle, objectOf(root)?.path), annotations: stringsOf(annotations) }
}

/** root.path may be relative to the bundle: config.md of the runtime specification. */
function within(bundle: unknown, path: unknown): string | undefined {
  const given = textOf(path)
  if (given === undefined || given.startsWith('/')) return absoluteOf(given)
  const directory = absoluteOf(bundle)
  return directory === undefined ? undefined : absoluteOf(join(directory, given))
}
