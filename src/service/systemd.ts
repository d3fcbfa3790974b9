/**
 * The service under systemd. Where its unit is installed, a hook has systemd start the service, with the cgroup and
 * the limits of the unit.
 */

import { existsSync } from 'node:fs'
import type { Host } from '../host/host.ts'
import { childProcess } from '../sys/child-process.ts'
import { sleep } from '../sys/sleep.ts'
import { DEFAULT_SETTINGS, type Settings } from './default-settings.ts'
import { UNIT, UNIT_DIRECTORIES } from './unit.ts'

/** A hook waits at most this long for systemd. What else it does then fits into its time. */
const TIMEOUT_MS = 8000

/** Each `systemctl` may take this long. It waits for systemd, which may be busy. */
const CALL_TIMEOUT_MS = 2000

const LOOK_MS = 20
/** systemd is asked for the unit's state once in this time: each question is a process. */
const ASK_MS = 500

/**
 * Has systemd start our unit, and waits until the mount `isServed`. Returns false where systemd does not run, where the
 * unit is not installed or serves another mount than is wanted, and where systemd refuses, as it does while the machine
 * shuts down, or the unit fails: then the caller may start a keeper. Throws when the unit is still starting after 8 s:
 * another keeper would only be in its way.
 */
export function startUnit(
  { mountPoint, runDirectory }: Settings,
  isServed: () => boolean,
): boolean {
  const isUnits =
    mountPoint === DEFAULT_SETTINGS.mountPoint && runDirectory === DEFAULT_SETTINGS.runDirectory
  // systemd runs where this directory exists: sd_booted(3).
  if (!isUnits || !existsSync('/run/systemd/system')) return false
  if (!UNIT_DIRECTORIES.some(directory => existsSync(`/${directory}/${UNIT}`))) return false
  const deadline = performance.now() + TIMEOUT_MS
  if (systemctl('start', '--no-block', UNIT) === undefined) return isServed()
  for (let askMs = performance.now(); performance.now() < deadline; sleep(LOOK_MS)) {
    if (isServed()) return true
    if (performance.now() < askMs) continue
    if (!isStarting(systemctl('show', '--property=ActiveState,SubState,Job', UNIT))) {
      return isServed()
    }
    askMs = performance.now() + ASK_MS
  }
  throw new Error(
    `Cannot start the service: ${UNIT} is still starting after ${TIMEOUT_MS / 1000} s; see systemctl status ${UNIT}`,
  )
}

/**
 * Whether the unit may serve soon. `show` is what systemctl prints of it; where that is `undefined`, systemd was too busy
 * to say. A unit of which the job waits is `inactive` still, and one that has failed and is to be started again later is
 * `activating`.
 */
export function isStarting(show: string | undefined): boolean {
  if (show === undefined) return true
  const properties = new Map(show.split('\n').map(line => line.split('=', 2) as [string, string]))
  if (properties.get('SubState') === 'auto-restart') return false
  const hasJob = Number(properties.get('Job') ?? 0) > 0
  return hasJob || /^(activating|active|reloading)/.test(properties.get('ActiveState') ?? '')
}

/** Returns what `systemctl show` prints of our unit; `undefined` where systemd does not run, or does not say. */
export function showUnit(host: Host, properties: readonly string[]): string | undefined {
  if (!host.has('run/systemd/system')) return undefined
  return systemctl('show', `--property=${properties.join(',')}`, UNIT)
}

/** Returns what systemctl prints; `undefined` when it fails, or takes too long. */
function systemctl(...args: string[]): string | undefined {
  try {
    return childProcess().execFileSync('systemctl', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: CALL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
  } catch {
    return undefined
  }
}
