/** Checks whose files the running containers see. */

import { shortId } from '../../container/container.ts'
import type { Listed, ListedContainer } from '../containers/list.ts'
import { about, type Finding, nameSome } from './finding.ts'

const { ok, warning, problem } = about('containers')

/**
 * `answering` are the device numbers of file systems that answer, ours or another's. `isOff`: whether the mount of a service
 * that runs is not in its place, so that its number is not known.
 */
export function checkContainers(
  { containers, isWhole }: Listed,
  answering: ReadonlySet<string>,
  isOff = false,
): Finding[] {
  const groups = new Map<Group, string[]>()
  for (const container of containers) {
    const found = groupOf(container, answering)
    const group = found === 'dead' && isOff ? 'off' : found
    const names = groups.get(group)
    if (names === undefined) groups.set(group, [nameOf(container)])
    else names.push(nameOf(container))
  }
  const findings = GROUPS.flatMap(group => {
    const names = groups.get(group)
    return names === undefined ? [] : [describe(group, names)]
  })
  if (!isWhole) {
    findings.push(problem('some containers may not have been found', 'see the messages above'))
  }
  if (findings.length === 0) return [ok('no container runs')]
  return [...findings, ...checkNesting(containers)]
}

/** Few containers have others in them, so this is no warning. */
function checkNesting(containers: readonly ListedContainer[]): Finding[] {
  const barred = containers.filter(({ barsNesting }) => barsNesting).map(nameOf)
  if (barred.length === 0) return []
  const text = `${barred.length} cannot have unprivileged containers in them that mount a proc, since our files lie over theirs: ${nameSome(barred)}`
  const advice =
    'where there are to be some: set the option nestedMounts to on, then procveil remount --all'
  return [{ ...ok(text), advice }]
}

const nameOf = ({ id, name }: ListedContainer) => name ?? shortId(id)

/** The groups of containers, in the order in which they are told. */
const GROUPS = [
  'ok',
  'detached',
  'dead',
  'off',
  'other',
  'partial',
  'unknown',
  'missing',
  'host',
] as const
type Group = (typeof GROUPS)[number]

function groupOf(container: ListedContainer, answering: ReadonlySet<string>): Group {
  const { state } = container
  if (state === 'ok' || state === 'partial' || state === 'unknown') return state
  if (state === 'stale') {
    return container.otherDevices.every(device => answering.has(device)) ? 'other' : 'dead'
  }
  if (container.detached) return 'detached'
  return container.registered ? 'missing' : 'host'
}

function describe(group: Group, names: readonly string[]): Finding {
  const [count, some] = [names.length, nameSome(names)]
  switch (group) {
    case 'ok':
      return ok(`${count} see their own files: ${some}`)
    case 'detached':
      return ok(`${count} see the host's files, as an operator chose with umount: ${some}`)
    case 'dead':
      return problem(
        `${count} have files of a service that is gone, which cannot be read: ${some}`,
        'procveil remount --all',
      )
    case 'off':
      return warning(
        `${count} have files of a mount that is not in its place: ${some}`,
        'procveil check-lxcfs: has it put back',
      )
    case 'other':
      return warning(
        `${count} see files of another lxcfs: ${some}`,
        'procveil remount --all puts ours in their place',
      )
    case 'partial':
      return warning(
        `${count} see only some of their files: ${some}`,
        'procveil remount --all; procveil ps shows how many',
      )
    case 'unknown':
      return warning(
        `${count} have too many mounts to tell whose files they see: ${some}`,
        'see /proc/PID/mountinfo for who makes them; no file is bound or taken out there',
      )
    case 'missing':
      return warning(
        `${count} are registered and see the host's files: ${some}`,
        'procveil remount --all',
      )
    case 'host':
      return warning(
        `${count} see the host's files: ${some}`,
        'procveil remount --all, unless they are meant to',
      )
  }
}
