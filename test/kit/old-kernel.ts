/** What a kernel older than this machine's does not have. */

import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { isFrom } from '../../src/host/kernel-release.ts'
import { retry } from './requirements.ts'
import { type Site, site } from './site.ts'

type Prepare = (site: Site) => void

interface Kernel {
  kernel: string
  programs: readonly string[]
  /** `prepare` comes before the service starts. */
  makeSite(t: Test, prepare?: Prepare): Promise<Site>
  /** Says that the kernel was this one. */
  check(t: Test, here: Site): void
}

const THIS: Kernel = {
  kernel: 'this kernel',
  programs: [],
  makeSite: async (t, prepare = () => {}) => {
    const made = site(t)
    prepare(made)
    return made
  },
  check: () => {},
}

const BEFORE_5_12: Kernel = {
  kernel: 'a kernel before 5.12',
  programs: ['strace'],
  makeSite: siteWithoutMountSetattr,
  check: (t, here) => t.match(readFileSync(traceOf(here), 'utf8'), 'ENOSYS'),
}

/** This machine's, and one before Linux 5.12 where this machine's is newer. */
export const KERNELS: readonly Kernel[] = isFrom(release(), [5, 12]) ? [THIS, BEFORE_5_12] : [THIS]

/**
 * A service for which mount_setattr(2) fails as it does before Linux 5.12: strace(1) traces it, its workers included,
 * which do the work of hooks.
 */
async function siteWithoutMountSetattr(t: Test, prepare: Prepare = () => {}): Promise<Site> {
  const made = site(t)
  prepare(made)
  const strace = ['-f', '--seccomp-bpf', '-qq', '-o', traceOf(made), '-e', 'trace=mount_setattr']
  const inject = ['-e', 'inject=mount_setattr:error=ENOSYS']
  const command = [made.executable, ...made.options, 'serve']
  spawn('strace', [...strace, ...inject, ...command], { stdio: 'ignore' })
  await retry(() => statSync(join(made.mountPoint, 'proc/uptime')))
  return made
}

/** Where strace writes the calls that it has made fail. */
const traceOf = ({ directory }: Site) => join(directory, 'trace')
