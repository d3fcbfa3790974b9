/** How a keeper goes over to the executable that is on the disk now, without a reader noticing. */

import { execFile } from 'node:child_process'
import type { Options } from '../../proc/options.ts'
import { describe, type Log } from '../../sys/log.ts'
import { become } from '../../sys/process.ts'
import { readDefaults } from '../config.ts'
import { ENVIRONMENT, INSTALLED } from '../executable.ts'
import { adoption } from '../launch.ts'
import { commandLine, type Settings } from '../settings.ts'
import type { ServerProcess } from './server-process.ts'

/** What one version hands to the next, command lines and state files, is of this form. */
export const HANDOVER = 'procveil handover 1'

const CHECK_TIMEOUT_MS = 5000

export interface HandedOver {
  fuse: number
  server: ServerProcess
  options: Options
  withoutResend: boolean
}

/**
 * Keeps its pid, for systemd, and its server, which answers until the new version's does and which starts this
 * version again should the new one die. Returns when the executable is refused.
 */
export async function upgrade(
  settings: Settings,
  log: Log,
  { fuse, server, options, withoutResend }: HandedOver,
): Promise<void> {
  try {
    await checkProgram(INSTALLED)
    if (server.pid === undefined) throw new Error('there is no server to hand over')
    log.info(`goes over to ${INSTALLED}`)
    const read = JSON.stringify(readAgain(settings, options, log))
    const args = [
      ...adoption(read, server.pid, withoutResend),
      ...['--fuse-fd', String(fuse), '--ready-fd', String(server.control)],
    ]
    become(INSTALLED, commandLine(settings, 'serve', ...args), ENVIRONMENT, [fuse, server.control])
  } catch (cause) {
    log.error(new Error(`Cannot go over to ${INSTALLED}: ${describe(cause)}; this version goes on`))
  }
}

/** The options as they are configured now; those before where that is damaged. */
function readAgain(settings: Settings, before: Options, log: Log): Options {
  try {
    return readDefaults(settings)
  } catch (error) {
    log.error(error)
    return before
  }
}

/** Has an executable prove that it runs here and can take over from this version. Throws when it cannot. */
export function checkProgram(path: string): Promise<void> {
  const options = { timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL', env: {} } as const
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`it failed its self-check: ${why}`))
    try {
      execFile(path, ['self-check'], options, (error, stdout, stderr) => {
        if (stdout.split('\n').includes(HANDOVER)) resolve()
        else fail(reason(error, stderr))
      })
    } catch (error) {
      // What is no program at all.
      fail(describe(error))
    }
  })
}

function reason(error: Error | null, stderr: string): string {
  const said = stderr.trim().split('\n').at(-1)
  if (said) return said
  return error === null ? `it does not say "${HANDOVER}"` : (error.message.split('\n')[0] ?? '')
}
