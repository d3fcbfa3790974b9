/**
 * docker: the daemon has a file on each container, which has the container's name. The start time and the root file
 * system are in the state of the runtime below docker.
 */

import type { Host } from '../host/host.ts'
import { absoluteOf, countOf, objectOf, textOf } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { isSandbox } from './containerd.ts'
import { readStateFields } from './state-file.ts'

const DAEMON_CONFIG = 'etc/docker/daemon.json'

export function* findDocker(host: Host, roots: readonly string[]): Generator<Claim> {
  const given = [...roots, ...configuredRoot(host)]
  for (const root of new Set(given.flatMap(each => [each, ...remappedRoots(host, each)]))) {
    for (const id of host.directories(`${root}/containers`)) {
      const claim = readConfig(host, `${root}/containers/${id}`, id)
      if (claim !== undefined) yield claim
    }
  }
}

/** The options are those of dockerd(8). `data-root` was called `graph` before 17.05. */
function configuredRoot(host: Host): string[] {
  const fields = readStateFields(host, DAEMON_CONFIG)?.fields
  const root = absoluteOf(fields?.['data-root'] ?? fields?.graph)
  return root === undefined ? [] : [root.slice(1)]
}

/** With userns-remap a daemon keeps its containers in UID.GID below its root: daemon/daemon_unix.go of moby. */
function remappedRoots(host: Host, root: string): string[] {
  const names = host.directories(root).filter(name => /^\d+\.\d+$/.test(name))
  return names.map(name => `${root}/${name}`)
}

/** The fields are those of moby's container/container.go and container/state.go. */
function readConfig(host: Host, directory: string, id: string): Claim | undefined {
  const config = readStateFields(host, `${directory}/config.v2.json`)
  if (config === undefined || config.fields.ID !== id) return undefined
  const state = objectOf(config.fields.State)
  const pid = countOf(state?.Pid)
  if (state?.Running !== true || pid === undefined) return undefined
  const runtime = readStateFields(host, `${directory}/hostconfig.json`)?.fields.Runtime
  if (isSandbox(textOf(runtime) ?? '')) return undefined
  return {
    runtime: 'docker',
    id,
    pid,
    startTicks: undefined,
    name: textOf(config.fields.Name)?.replace(/^\//, ''),
    rootfs: undefined,
    annotations: {},
    ownerUid: config.ownerUid,
  }
}
