/** Turns a keeper into the version that is on the disk now, without a reader noticing. */

import type { Options } from '../../proc/options.ts'
import { describe, type Log } from '../../sys/log.ts'
import { become } from '../../sys/process.ts'
import { checkExecutable } from '../check-executable.ts'
import { readDefaults } from '../config.ts'
import { ENVIRONMENT, INSTALLED } from '../executable.ts'
import { renderKeeperOrders } from '../handover.ts'
import { commandLine, type Settings } from '../settings.ts'
import type { ServerProcess } from './server-process.ts'

interface HandedOver {
  /** /dev/fuse. */
  fuse: number
  server: ServerProcess
  /** The options that this version has read. */
  options: Options
  resend: boolean
}

/** Whether the executable that is installed now can take over. */
export type Verdict = 'accepted' | 'refused'

/** Never rejects; says in the log why an executable is refused. */
export async function judgeInstalled(log: Log): Promise<Verdict> {
  try {
    await checkExecutable(INSTALLED)
    return 'accepted'
  } catch (error) {
    logRefusal(log, error)
    return 'refused'
  }
}

/**
 * The keeper keeps its pid, for systemd, and its server. The server answers until the server of the new version does,
 * and starts this version again should the new one die. Returns when that cannot be done.
 */
export function upgrade(
  settings: Settings,
  log: Log,
  { fuse, server, options, resend }: HandedOver,
): void {
  try {
    if (server.pid === undefined) throw new Error('there is no server to hand over')
    log.info(`goes over to ${INSTALLED}`)
    const orders = renderKeeperOrders({
      readyFd: server.pipe,
      resend,
      adopted: {
        fuseFd: fuse,
        serverPid: server.pid,
        options: readDefaultsAgain(settings, options, log),
      },
    })
    become(INSTALLED, commandLine(settings, 'serve', ...orders), ENVIRONMENT, [fuse, server.pipe])
  } catch (error) {
    logRefusal(log, error)
  }
}

const logRefusal = (log: Log, cause: unknown) =>
  log.error(new Error(`Cannot go over to ${INSTALLED}: ${describe(cause)}; this version goes on`))

/**
 * Returns the options as they are configured now, or the earlier ones, `before`, where the configuration is damaged.
 */
function readDefaultsAgain(settings: Settings, before: Options, log: Log): Options {
  try {
    return readDefaults(settings)
  } catch (error) {
    log.error(error)
    return before
  }
}
