/**
 * systemd-nspawn, and others that register with systemd-machined(8): each machine has a file with the pid of its
 * leader.
 */

import type { Host } from '../host/host.ts'
import { absoluteOf, countOf } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { readStateFile } from './state-file.ts'

export function* findMachines(host: Host, roots: readonly string[]): Generator<Claim> {
  for (const root of roots) {
    for (const id of host.list(root)) {
      const claim = readMachine(host, `${root}/${id}`, id)
      if (claim !== undefined) yield claim
    }
  }
}

/**
 * The file is that of systemd's src/machine/machine.c. Symbolic links to the file have the names of units, and are not
 * followed. The file has no start time, but the unit that the leader is in; a payload has cgroups below that unit.
 */
function readMachine(host: Host, path: string, id: string): Claim | undefined {
  const file = readStateFile(host, path)
  if (file === undefined) return undefined
  const fields = parseMachine(file.text)
  const pid = countOf(fields.get('LEADER'))
  const unit = fields.get('SCOPE')
  if (pid === undefined || unit === undefined || fields.get('NAME') !== id) return undefined
  if (fields.get('CLASS') !== 'container') return undefined
  return {
    runtime: (fields.get('SERVICE') ?? 'nspawn').replace(/^systemd-/, ''),
    id,
    pid,
    startTicks: undefined,
    name: undefined,
    rootfs: absoluteOf(fields.get('ROOT')),
    annotations: {},
    ownerUid: file.ownerUid,
    cgroupName: unit,
  }
}

/**
 * Parses lines KEY=VALUE, and leaves out those with an empty value. Values are quoted and escaped as in a shell or as
 * in C, depending on systemd's version.
 */
function parseMachine(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    if (equals <= 0 || line.startsWith('#')) continue
    const value = unquote(line.slice(equals + 1))
    if (value !== '') fields.set(line.slice(0, equals), value)
  }
  return fields
}

function unquote(value: string): string {
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value
  return inner.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex, character) =>
    hex === undefined ? character : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
