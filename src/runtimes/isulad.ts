/**
 * iSulad: each container of each of its runtimes (lcr, or runc below its shim) has a pid in the state directory, and a
 * file of the daemon with the container's name in the graph directory. The layout is that of iSulad and lcr 2.1.
 */

import { execFileSync } from 'node:child_process'
import type { Host } from '../host/host.ts'
import { absoluteOf, countOf, objectOf, textOf } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { isSandbox } from './containerd.ts'
import { findOci } from './oci.ts'
import { readStateFields, readStateFile } from './state-file.ts'

const DAEMON_CONFIG = 'etc/isulad/daemon.json'
const SOCKET = 'run/isulad.sock'
const ASK_TIMEOUT_MS = 10_000

/** Returns lines `ID PID` from the daemon; `undefined` when the daemon cannot be asked. */
export type AskIsula = () => string | undefined

export const askIsula: AskIsula = () => {
  try {
    return execFileSync('isula', ['ps', '--no-trunc', '--format', '{{.ID}} {{.Pid}}'], {
      encoding: 'utf8',
      timeout: ASK_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}

/** Asks the daemon only when it runs, and when no directory with one of its containers is known. */
export function* findIsulad(host: Host, roots: readonly string[], ask: AskIsula): Generator<Claim> {
  let known = false
  for (const { path, id, runtime } of containerDirectories(host, roots)) {
    known = true
    if (isSandbox(runtime)) continue
    const claims = [
      readGraph(host, path, id),
      readPidFile(host, `${path}/pid.file`, id),
      readPidFile(host, `${path}/pid`, id),
      // The shim gives runc a root of its own below the container's directory.
      ...findOci(host, [`${path}/${runtime}`]),
    ]
    yield* claims.filter(claim => claim !== undefined)
  }
  if (!known && host.has(SOCKET)) yield* parseAnswer(ask() ?? '')
}

function* containerDirectories(host: Host, roots: readonly string[]) {
  for (const root of new Set([...roots, ...configuredRoots(host)])) {
    for (const parent of [root, `${root}/engines`]) {
      for (const runtime of host.directories(parent)) {
        for (const id of host.directories(`${parent}/${runtime}`)) {
          const path = `${parent}/${runtime}/${id}`
          const files = ['pid.file', 'pid', 'config.v2.json']
          if (files.some(file => host.has(`${path}/${file}`))) yield { path, id, runtime }
        }
      }
    }
  }
}

function configuredRoots(host: Host): string[] {
  const fields = readStateFields(host, DAEMON_CONFIG)?.fields
  return [fields?.state, fields?.graph].flatMap(path => absoluteOf(path)?.slice(1) ?? [])
}

/** The fields are those of lcr's schema container/config-v2.json. */
function readGraph(host: Host, directory: string, id: string): Claim | undefined {
  const config = readStateFields(host, `${directory}/config.v2.json`)
  const common = objectOf(config?.fields.CommonConfig)
  const state = objectOf(config?.fields.State)
  const pid = countOf(state?.Pid)
  if (config === undefined || common?.id !== id || pid === undefined) return undefined
  return {
    ...claim(id, pid, countOf(state?.StartTime), config.ownerUid),
    name: textOf(common.Name),
    rootfs: absoluteOf(common.BaseFs),
  }
}

/** lcr writes the pids and start times of the init and its parent; the shim writes only the pid. */
function readPidFile(host: Host, path: string, id: string): Claim | undefined {
  const file = readStateFile(host, path)
  const [pid, startTicks] = (file?.text ?? '').trim().split(/\s+/).map(countOf)
  if (file === undefined || pid === undefined) return undefined
  return claim(id, pid, startTicks, file.ownerUid)
}

function* parseAnswer(text: string): Generator<Claim> {
  for (const [, id, pid] of text.matchAll(/^\s*(\S+)\s+(\d+)\s*$/gm)) {
    const number = countOf(pid)
    if (id !== undefined && number !== undefined) yield claim(id, number, undefined, 0)
  }
}

function claim(id: string, pid: number, startTicks: number | undefined, ownerUid: number): Claim {
  return {
    runtime: 'isulad',
    id,
    pid,
    startTicks,
    name: undefined,
    rootfs: undefined,
    annotations: {},
    ownerUid,
  }
}
