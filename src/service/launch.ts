/** Starts a keeper, `procveil serve`, as a process that outlives ours. */

import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { closeSync } from 'node:fs'
import { childProcess } from '../sys/child-process.ts'
import { openPipe } from '../sys/pipe.ts'
import type { Settings } from './default-settings.ts'
import { ENVIRONMENT, ownExecutable } from './executable.ts'
import { FIRST_FREE_FD, type KeeperOrders, renderKeeperOrders } from './handover.ts'
import { passNotifySocket } from './notify.ts'
import { commandLine } from './settings.ts'

interface Launched {
  keeper: ChildProcess
  /** The reading end of the pipe in which the keeper says READY. The pipe ends without a word when the keeper dies. */
  reader: number
}

/**
 * The keeper gets a session of its own, and not the caller's stdin and stdout: a runtime waits until nobody holds its
 * hook's stdout any more. The keeper has the descriptors `inherited` from FIRST_FREE_FD on. One that a hook starts is no
 * part of a unit, whatever the hook's environment says.
 */
export function launchKeeper(
  settings: Settings,
  orders: Omit<KeeperOrders, 'readyFd'>,
  stderr: 'ignore' | 'inherit',
  inherited: readonly number[] = [],
): Launched {
  const { reader, writer } = openPipe()
  const readyFd = FIRST_FREE_FD + inherited.length
  const options: SpawnOptions = {
    cwd: '/',
    detached: true,
    env: { ...ENVIRONMENT, ...(orders.adopted && passNotifySocket(process.env)) },
    stdio: ['ignore', 'ignore', stderr, ...inherited, writer],
  }
  try {
    const args = renderKeeperOrders({ ...orders, readyFd })
    const { path, argv0 } = ownExecutable()
    const command = commandLine(settings, 'serve', ...args)
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
