/** systemd-nspawn, and others that register with systemd-machined(8): a file for each machine, with its leader. */

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
 * src/machine/machine.c of systemd. Names of units are symbolic links to the files, and are not followed. There is
 * no start time, but the unit that the leader is in; a payload has cgroups below it.
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

/** Lines KEY=VALUE, without those that are empty; values are quoted and escaped as in a shell or in C, by systemd's version. */
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
