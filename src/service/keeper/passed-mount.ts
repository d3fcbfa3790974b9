/** The mount that lives although none of our processes did: systemd has kept its descriptors. */

import { closeSync, readlinkSync } from 'node:fs'
import type { Host } from '../../host/host.ts'
import { findServed } from '../../mount/served.ts'
import { closeOnExec } from '../../sys/notify-socket.ts'
import { isBroken } from '../../sys/poll.ts'
import type { Settings } from '../default-settings.ts'
import { EXECUTABLE, type Kept, type Passed, parseName } from '../notify.ts'

interface PassedMount {
  /** `undefined` when no mount was passed that is in its place and of which the connection lives. */
  descriptors: (Partial<Record<Kept, number>> & { fuse: number }) | undefined
  /** The names of what is of no use, and closed. */
  useless: string[]
}

export function takePassedMount(
  host: Host,
  { mountPoint }: Settings,
  passed: readonly Passed[],
): PassedMount {
  const minor = passed.length === 0 ? undefined : findServed(host, mountPoint)?.minor
  const found = new Map<Kept, number>()
  for (const { name, fd } of passed) {
    closeOnExec(fd)
    const parsed = parseName(name)
    // A connection that lives has the number of its device for itself, even where it is mounted nowhere.
    if (minor === undefined || parsed?.minor !== minor) continue
    if (parsed.kept !== 'fuse' || isLiveFuse(fd)) found.set(parsed.kept, fd)
  }
  const fuse = found.get('fuse')
  if (fuse === undefined) found.clear()
  const used = new Set(found.values())
  const names = new Set(passed.filter(({ fd }) => used.has(fd)).map(({ name }) => name))
  const others = passed.filter(({ fd }) => !used.has(fd))
  for (const { fd } of others) closeSync(fd)
  // systemd knows descriptors by their names alone: what is used must stay there at every moment.
  const useless = others
    .map(({ name }) => name)
    .filter(name => name !== EXECUTABLE && !names.has(name))
  return {
    descriptors: fuse === undefined ? undefined : { ...Object.fromEntries(found), fuse },
    useless,
  }
}

const isLiveFuse = (fd: number) =>
  readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse' && !isBroken(fd)
