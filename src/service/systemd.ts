/**
 * The service under systemd. Where its unit is installed, a hook has systemd start the service, with the cgroup and
 * the limits of the unit.
 */

import { existsSync } from 'node:fs'
import { childProcess } from '../sys/child-process.ts'
import { DEFAULT_SETTINGS, type Settings } from './settings.ts'

export const UNIT = 'procveil.service'

/** The directories where systemd finds units, without a leading slash: systemd.unit(5), "Unit File Load Path". */
export const UNIT_DIRECTORIES = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
]

const TIMEOUT_MS = 6000

/**
 * Returns whether systemd has started our unit: false where systemd does not run, where the unit is not installed or
 * serves another mount than is wanted, and where systemd refuses, as it does while the machine shuts down.
 */
export function startUnit({ mountPoint, runDirectory }: Settings): boolean {
  const isUnits =
    mountPoint === DEFAULT_SETTINGS.mountPoint && runDirectory === DEFAULT_SETTINGS.runDirectory
  // systemd runs where this directory exists: sd_booted(3).
  if (!isUnits || !existsSync('/run/systemd/system')) return false
  if (!UNIT_DIRECTORIES.some(directory => existsSync(`/${directory}/${UNIT}`))) return false
  try {
    childProcess().execFileSync('systemctl', ['start', UNIT], {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
    })
    return true
  } catch {
    return false
  }
}
