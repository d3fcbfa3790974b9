/** Starts `procveil serve` as a process that outlives ours. */

import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { closeSync } from 'node:fs'
import { childProcess } from '../sys/children.ts'
import { openPipe } from '../sys/pipe.ts'
import { ENVIRONMENT, ownProgram } from './executable.ts'
import { commandLine, type Settings } from './settings.ts'

/** stdin, stdout and stderr come before it. */
const FIRST_FREE_FD = 3

/**
 * In a session of its own, without the caller's stdin and stdout: a runtime waits until nobody holds its hook's
 * stdout any more. `inherited` are what it has from descriptor 3 on. What can be read from `reader` is a byte when
 * the mount is served, or the end when the process has ended.
 */
export function launchKeeper(
  settings: Settings,
  args: readonly string[],
  stderr: 'ignore' | 'inherit',
  inherited: readonly number[] = [],
): { keeper: ChildProcess; reader: number } {
  const { reader, writer } = openPipe()
  const readyFd = FIRST_FREE_FD + inherited.length
  const options: SpawnOptions = {
    cwd: '/',
    detached: true,
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', stderr, ...inherited, writer],
  }
  try {
    const command = commandLine(settings, 'serve', '--ready-fd', String(readyFd), ...args)
    const { path, argv0 } = ownProgram()
    const keeper = childProcess().spawn(path, command, { ...options, argv0 })
    keeper.unref()
    return { keeper, reader }
  } catch (error) {
    closeSync(reader)
    throw error
  } finally {
    closeSync(writer)
  }
}

/** Arguments of the keeper that takes over a mount from the server with the pid `before`. */
export function adoption(options: string, before: number, withoutResend: boolean): string[] {
  return [
    ...['--adopt', options, '--before', String(before)],
    ...(withoutResend ? ['--without-resend'] : []),
  ]
}
