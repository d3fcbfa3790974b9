/** Turns a keeper into the version that is on the disk now, without a reader noticing. */

import type { Options } from '../../proc/options.ts'
import { describe, type Log } from '../../sys/log.ts'
import { become } from '../../sys/process.ts'
import { canResend } from '../can-resend.ts'
import { checkExecutable } from '../check-executable.ts'
import { readDefaults } from '../config.ts'
import type { Settings } from '../default-settings.ts'
import { ENVIRONMENT, INSTALLED } from '../executable.ts'
import { renderKeeperOrders } from '../handover.ts'
import { passNotifySocket } from '../notify.ts'
import { commandLine } from '../settings.ts'
import type { ServerProcess } from './server-process.ts'
import type { Descriptors } from './shared-mount.ts'

interface HandedOver {
  mount: Descriptors
  server: ServerProcess
  /** The options that this version has read. */
  options: Options
}

/** Whether the executable that is installed now can take over. An `older` one does not know the memory of requests. */
export type Verdict = 'accepted' | 'older' | 'refused'

/** Never rejects; says in the log why an executable is refused. */
export async function judgeInstalled(log: Log): Promise<Verdict> {
  try {
    const { takesRequests } = await checkExecutable(INSTALLED)
    return takesRequests ? 'accepted' : 'older'
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
  { mount, server, options }: HandedOver,
  verdict: Exclude<Verdict, 'refused'>,
): void {
  try {
    if (server.pid === undefined) throw new Error('there is no server to hand over')
    log.info(`goes over to ${INSTALLED}`)
    const orders = renderKeeperOrders({
      readyFd: server.pipe,
      withoutResend: verdict === 'older' && !canResend(),
      adopted: {
        fuseFd: mount.fuse,
        requestsFd: verdict === 'older' ? undefined : mount.requests,
        serverPid: server.pid,
        options: readDefaultsAgain(settings, options, log),
      },
    })
    const kept = [mount.fuse, server.pipe, ...(verdict === 'older' ? [] : [mount.requests])]
    const environment = { ...ENVIRONMENT, ...passNotifySocket(process.env) }
    become(INSTALLED, commandLine(settings, 'serve', ...orders), environment, kept)
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
