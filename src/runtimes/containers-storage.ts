/**
 * podman and CRI-O: both keep their containers in containers-storage, and say in a bundle's annotations whose it is.
 * podman's own database, with the names of containers in other graph roots, is SQLite or BoltDB and is not read.
 */

import type { Host } from '../host/host.ts'
import { arrayOf, countOf, type Fields, objectOf, textOf, tryParseJson } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { podName } from './containerd.ts'
import { readBundle } from './oci.ts'
import { expandRoots } from './roots.ts'
import { readStateFields, readStateFile } from './state-file.ts'

const MANAGER = 'io.container.manager'

export const findPodman = (host: Host, roots: readonly string[]) => find(host, roots, false)
export const findCrio = (host: Host, roots: readonly string[]) => find(host, roots, true)

function* find(host: Host, roots: readonly string[], isCrio: boolean): Generator<Claim> {
  // The name of the directory has the driver's name: overlay-containers, vfs-containers.
  const directories = expandRoots(
    host,
    roots.map(root => `${root}/*-containers`),
  )
  const names = isCrio ? undefined : readNames(host, directories)
  for (const directory of directories) {
    for (const id of host.directories(directory)) {
      const claim = readUserdata(host, `${directory}/${id}/userdata`, id, isCrio)
      if (claim === undefined) continue
      yield names === undefined ? claim : { ...claim, name: names.get(keyOf(claim.ownerUid, id)) }
    }
  }
}

/**
 * Reads the userdata directory of a container. In the run root it has the bundle and the pid that conmon(8) wrote, and
 * in CRI-O's graph root the state of CRI-O.
 */
function readUserdata(
  host: Host,
  directory: string,
  id: string,
  isCrio: boolean,
): Claim | undefined {
  const process =
    readPidFile(host, directory) ?? (isCrio ? readCrioState(host, directory) : undefined)
  if (process === undefined) return undefined
  const bundle = readBundle(host, `/${directory}`)
  const annotations = bundle?.annotations ?? {}
  if ((annotations[MANAGER] === 'cri-o') !== isCrio) return undefined
  return {
    runtime: isCrio ? 'cri-o' : 'podman',
    id,
    ...process,
    name: isCrio ? nameInCrio(annotations) : undefined,
    rootfs: bundle?.rootfs,
    annotations,
  }
}

type Process = Pick<Claim, 'pid' | 'startTicks' | 'ownerUid'>

function readPidFile(host: Host, directory: string): Process | undefined {
  const file = readStateFile(host, `${directory}/pidfile`)
  const pid = countOf(file?.text.trim())
  if (file === undefined || pid === undefined) return undefined
  return { pid, startTicks: undefined, ownerUid: file.ownerUid }
}

/** The fields are those of ContainerState in CRI-O's internal/oci/container.go. */
function readCrioState(host: Host, directory: string): Process | undefined {
  const state = readStateFields(host, `${directory}/state.json`)
  if (state === undefined || state.fields.status === 'stopped') return undefined
  const pid = countOf(state.fields.initPid)
  const startTicks = countOf(state.fields.initStartTime)
  if (pid === undefined || startTicks === undefined) return undefined
  return { pid, startTicks, ownerUid: state.ownerUid }
}

function nameInCrio(annotations: Readonly<Record<string, string>>): string | undefined {
  const isPod = annotations['io.kubernetes.cri-o.ContainerType'] === 'sandbox'
  return podName(
    annotations['io.kubernetes.pod.namespace'],
    annotations['io.kubernetes.pod.name'],
    isPod ? undefined : annotations['io.kubernetes.container.name'],
  )
}

/**
 * The files that have the names of containers. Those of containers with --rm are in the volatile file, which may be in
 * either root.
 */
const STORES = ['containers.json', 'volatile-containers.json']

function readNames(host: Host, directories: readonly string[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const directory of directories) {
    for (const store of STORES) {
      const file = readStateFile(host, `${directory}/${store}`)
      if (file === undefined) continue
      for (const container of parseStore(file.text)) {
        const [id, name] = [textOf(container.id), textOf(arrayOf(container.names)?.[0])]
        if (id !== undefined && name !== undefined) names.set(keyOf(file.ownerUid, id), name)
      }
    }
  }
  return names
}

/** The text is an array of containers: containers.go of containers-storage. */
function parseStore(text: string): Fields[] {
  const containers = arrayOf(tryParseJson(text)) ?? []
  return containers.map(objectOf).filter(each => each !== undefined)
}

/** The uid is a part of the key, since a user's file names only that user's containers. */
const keyOf = (uid: number, id: string) => `${uid} ${id}`
