/** Debian's lxcfs, started by hand beside procveil. */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs'
import type { Cleanups } from './cleanups.ts'
import { retry } from './requirements.ts'

/** What every lxcfs makes for its own cgroup mounts; no option moves it. */
const RUN = ['/run/lxcfs/controllers', '/run/lxcfs/root', '/run/lxcfs']

export interface Daemon {
  pid: number
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Serves `mountPoint`, which need not be there. */
export function startLxcfs(
  cleanups: Cleanups,
  mountPoint: string,
  ...options: readonly string[]
): Promise<Daemon> {
  return startLxcfsOf(['lxcfs'], cleanups, mountPoint, ...options)
}

/** The same of another lxcfs than that in PATH: `command` is its program, and what stands before its options. */
export async function startLxcfsOf(
  [program, ...before]: readonly [string, ...string[]],
  cleanups: Cleanups,
  mountPoint: string,
  ...options: readonly string[]
): Promise<Daemon> {
  const made = RUN.filter(path => !existsSync(path))
  cleanups.add(() => made.filter(path => existsSync(path)).map(path => rmdirSync(path)))
  mkdirSync(mountPoint, { recursive: true })
  const args = [...before, '-f', '-l', ...options, '-p', `${mountPoint}.pid`, mountPoint]
  return startDaemon(cleanups, program, args, `${mountPoint}/proc/uptime`)
}

/** A program that serves the file `served`; it is there when this returns. */
export async function startDaemon(
  cleanups: Cleanups,
  program: string,
  args: readonly string[],
  served: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const daemon = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  const ended = new Promise<void>(resolve => {
    daemon.on('error', error => {
      process.stderr.write(`${program}: ${error.message}\n`)
      resolve()
    })
    daemon.on('exit', () => resolve())
  })
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    daemon.kill(signal)
    await ended
  }
  cleanups.add(() => kill())
  await retry(() => statSync(served))
  return { pid: daemon.pid ?? 0, kill }
}
