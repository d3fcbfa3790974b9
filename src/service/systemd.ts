/** The service under systemd: where its unit is installed a hook has it started there, with its cgroup and its limits. */

import { existsSync } from 'node:fs'
import { childProcess } from '../sys/child-process.ts'
import { DEFAULT_SETTINGS, type Settings } from './settings.ts'

export const UNIT = 'procveil.service'

/** systemd.unit(5), "Unit File Load Path"; below the root. */
export const UNIT_DIRECTORIES = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
]

const TIMEOUT_MS = 6000

/**
 * Whether systemd has started our unit. False where there is none of either, where the unit serves another mount than
 * is wanted, and where systemd refuses, as it does while the machine shuts down.
 */
export function startUnit({ mountPoint, runDirectory }: Settings): boolean {
  const isUnits =
    mountPoint === DEFAULT_SETTINGS.mountPoint && runDirectory === DEFAULT_SETTINGS.runDirectory
  // sd_booted(3)
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
