/** Runs scripts/compare-lxcfs.ts in a virtual machine of test/vm, which has 4 CPUs, 2 GiB of memory, swap and a disk. */

import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, execaSync } from 'execa'
import type { Cleanups } from '../test/kit/cleanups.ts'
import { EXECUTABLE } from '../test/kit/requirements.ts'
import { LIBRARY, unpackLxcfs } from './lxcfs-release.ts'

const PROJECT = fileURLToPath(new URL('../', import.meta.url))

interface Wishes {
  /** One of those that test/vm/build-image lists for bookworm. */
  kernel: string
  /** `v2` alone when missing; `v1` alone. */
  cgroup?: string | undefined
  /** Where the lxcfs comes from; it is the guest's own when neither is given. */
  suite?: string | undefined
  lxcfs?: string | undefined
}

/** Returns the comparison's exit status. */
export async function compareInVm(cleanups: Cleanups, wishes: Wishes): Promise<number> {
  const { kernel, cgroup = 'v2', suite, lxcfs } = wishes
  const share = mkdtempSync(join(tmpdir(), 'procveil-compare-'))
  cleanups.add(() => rmSync(share, { recursive: true }))
  fill(share)
  // On a disk: a container's files are to be those of a file system that I/O is counted for.
  const run = 'cd /share && TMPDIR=/var/tmp ./bun scripts/compare/compare-lxcfs.js'
  const options = fillLxcfs(share, suite, lxcfs)
  const vm = join(PROJECT, 'test/vm/run-vm')
  const machine = ['--kernel', kernel, '--cgroup', cgroup, '--timeout', '900']
  const args = [...machine, share, [run, ...options].join(' ')]
  const { exitCode } = await execa(vm, args, { stdio: 'inherit', reject: false })
  return exitCode ?? 1
}

/** The executable, and the comparison as plain JavaScript where it finds that: two levels below the share. */
function fill(share: string): void {
  mkdirSync(join(share, 'dist'))
  cpSync(EXECUTABLE, join(share, 'dist/procveil'))
  const bun = process.execPath
  const output = ['--target', 'bun', '--outdir', join(share, 'scripts/compare')]
  execaSync(bun, ['build', ...output, 'scripts/compare-lxcfs.ts'], { cwd: PROJECT })
  writeFileSync(join(share, 'package.json'), '{"type":"module"}')
  cpSync(bun, join(share, 'bun'), { dereference: true })
  chmodSync(join(share, 'bun'), 0o755)
}

/** Puts the lxcfs there; returns the options that name it. */
function fillLxcfs(share: string, suite?: string, path?: string): string[] {
  if (suite !== undefined) {
    unpackLxcfs(suite, join(share, 'lxcfs'))
    return ['--lxcfs', '/share/lxcfs/lxcfs']
  }
  if (path === undefined) return []
  cpSync(path, join(share, 'lxcfs'))
  cpSync(join(dirname(path), LIBRARY), join(share, LIBRARY))
  return ['--lxcfs', '/share/lxcfs']
}
