/**
 * Starts the attacks of programs/, in containers or as a user of the host. Each can be ended whatever it has done: its
 * FUSE ends with the process that serves it, and with that everybody's wait for it.
 */

import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import type { Test } from 'tap'
import { type Box, type BoxOptions, box } from '../kit/box.ts'
import { cgroupsOf } from '../kit/cgroups.ts'
import { retry } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'

export interface Attacker {
  /** The container, if it is one. */
  box?: Box
  pid: number
  /** Kills every process of it. A second time does nothing. */
  end(): void
}

/** A user of the host with no right at all. */
const USER = 1000

const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url))
const SOURCES = readdirSync(PROGRAMS).filter(name => name.endsWith('.c'))

/** What root of a container needs for these attacks. */
export const ROOT = ['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH']

/** Path of the attack program on the host, where everybody may run it. It is compiled once for a site. */
export function program(here: Site): string {
  const path = join(here.directory, 'attack')
  if (existsSync(path)) return path
  const sources = SOURCES.map(name => join(PROGRAMS, name))
  execaSync('gcc', [
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-static',
    '-pthread',
    '-o',
    path,
    ...sources,
  ])
  chmodSync(here.directory, 0o755)
  return path
}

/** Where the attack program is in a container, after `equip`. */
export const INSIDE = '/tmp/attack'

/** Puts the program into the container, whose users may all write to its /tmp and /etc. */
export async function equip(here: Site, made: Box): Promise<void> {
  const rootfs = join(made.bundle, 'rootfs')
  chmodSync(made.bundle, 0o755)
  await copyFile(program(here), join(rootfs, INSIDE))
  for (const directory of ['tmp', 'etc', 'dev']) chmodSync(join(rootfs, directory), 0o1777)
}

/** A container whose init is the attack. `args` name /tmp as the directory to work in. */
export async function attackIn(
  t: Test,
  here: Site,
  id: string,
  args: readonly string[],
  options: BoxOptions = {},
): Promise<Attacker> {
  const made = box(t, here, id, {
    withoutSys: true,
    // It keeps no CPU from the others.
    quotaUsec: 30_000,
    ...options,
    command: [INSIDE, ...args],
  })
  await equip(here, made)
  const attacker: Attacker = { box: made, pid: 0, end: () => killAll(cgroups) }
  let cgroups: string[] = []
  t.teardown(() => attacker.end())
  await made.start()
  attacker.pid = await made.pid()
  if (attacker.pid === 0) throw new Error(`Cannot go on: ${args.join(' ')} ended`)
  cgroups = cgroupsOf(attacker.pid)
  await becomesReady(join(made.bundle, 'rootfs/tmp'))
  return attacker
}

/** Whether it goes on: not when it has ended, and not as a zombie that nobody has waited for. */
export function isAlive({ pid }: Attacker): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Everything in the same cgroups, which a process that forks may escape for a moment. */
function killAll(cgroups: readonly string[]): void {
  for (let left = 5; left > 0; left--) {
    for (const directory of cgroups) for (const pid of processesIn(directory)) kill(pid)
  }
}

function processesIn(cgroup: string): number[] {
  try {
    const text = readFileSync(`${cgroup}/cgroup.procs`, 'utf8')
    return text.split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** A negative number is a group of processes. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

/** A process of a user of the host, in no container. `makeArgs` gets a directory that is the user's. */
export async function attackAsUser(
  t: Test,
  here: Site,
  name: string,
  makeArgs: (directory: string) => readonly string[],
): Promise<Attacker> {
  const directory = join(here.directory, name)
  mkdirSync(directory)
  execaSync('chown', [`${USER}:${USER}`, directory])
  const drop = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups']
  const command = [...drop, program(here), ...makeArgs(directory)]
  const child = spawn('setpriv', command, {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const attacker = { pid: child.pid ?? 0, end: () => kill(-(child.pid ?? 0)) }
  t.teardown(attacker.end)
  await becomesReady(directory)
  return attacker
}

async function becomesReady(directory: string): Promise<void> {
  await retry(() => {
    if (!existsSync(join(directory, 'ready'))) throw new Error('Cannot go on: no attack yet')
  })
}
