/** Checks whether the processes of the service have descriptors left: without, no new container gets its view. */

import type { Host } from '../../host/host.ts'
import { parseOpenFilesLimits } from '../../host/open-files.ts'
import type { Settings } from '../../service/default-settings.ts'
import { findAnswering, findKeeper } from '../../service/status.ts'
import { UNIT } from '../../service/unit.ts'
import { about, type Finding } from './finding.ts'

const { ok, problem } = about('descriptors')

/** A view takes some at a moment, and so does a new process. */
const LEAST_LEFT = 16

/** What the unit gives: LimitNOFILE= of systemd/procveil.service. */
const USUAL = 65_536

/** With so many it does well. */
const LEAST = 1024

interface Process {
  name: string
  pid: number
  open: number
  soft: number
  hard: number
}

export function checkDescriptors(
  host: Host,
  { runDirectory }: Pick<Settings, 'runDirectory'>,
): Finding[] {
  const keeper = findKeeper(host, runDirectory)?.pid
  if (keeper === undefined) return []
  const server = findAnswering(host, runDirectory)
  const processes = [
    ...look(host, 'the keeper', keeper),
    ...(server === undefined ? [] : look(host, 'the server', server)),
  ]
  const short = processes.filter(({ open, soft }) => soft - open < LEAST_LEFT)
  if (short.length === 0) return [ok('the service has descriptors left')]
  const named = short.map(
    ({ name, pid, open, soft }) => `${name}, process ${pid}, has ${open} files open of ${soft}`,
  )
  return [
    problem(
      `few descriptors are left, so that new containers may see the host's files: ${named.join('; ')}`,
      adviceFor(keeper, short),
    ),
  ]
}

/** A server has the limits of its keeper, which an upgrade leaves as they are. */
function adviceFor(keeper: number, short: readonly Process[]): string {
  const hard = Math.min(...short.map(each => each.hard))
  const least = LEAST + 2 * Math.max(...short.map(({ open }) => open))
  // Without the hard limit no right is needed that root may lack.
  const limit =
    hard < least ? `${Math.max(least, USUAL)}` : `${Math.min(hard, Math.max(least, USUAL))}:`
  return `prlimit --pid ${keeper} --nofile=${limit} && procveil upgrade && procveil remount --all; have LimitNOFILE= of ${UNIT} as it was installed, or larger, for the next start`
}

function look(host: Host, name: string, pid: number): Process[] {
  const limits = parseOpenFilesLimits(host.tryRead(`proc/${pid}/limits`) ?? '')
  if (limits === undefined) return []
  return [{ name, pid, open: host.list(`proc/${pid}/fd`).length, ...limits }]
}
