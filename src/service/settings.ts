/** The global options: where things are. Every process that we start carries them in its command line. */

import { mkdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { realPath } from '../host/host.ts'

export interface Settings {
  mountPoint: string
  runDirectory: string
  /** The file of defaults for the options; see `readDefaults`. */
  config: string
  /** `undefined`: messages go to stderr only. */
  log: string | undefined
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  mountPoint: '/var/lib/lxc/lxcfs',
  runDirectory: '/run/procveil',
  config: '/etc/procveil/config.json',
  log: undefined,
}

/**
 * Absolute paths as the kernel spells them in mountinfo. The mount point itself is not looked at: its server may be
 * dead.
 */
export function resolveSettings({ mountPoint, runDirectory, config, log }: Settings): Settings {
  const absolute = resolve(mountPoint)
  return {
    mountPoint: join(realPath(dirname(absolute)), basename(absolute)),
    runDirectory: resolve(runDirectory),
    config: resolve(config),
    log: log === undefined ? undefined : resolve(log),
  }
}

/** Throws when it cannot be made. Only root may see into it. */
export function makeRunDirectory({ runDirectory }: Settings): void {
  try {
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Error(`Cannot make the run directory ${runDirectory}`, { cause })
  }
}

/** Command line of another process of ours, with the same settings. */
export function commandLine(settings: Settings, ...command: string[]): string[] {
  const { mountPoint, runDirectory, config, log } = settings
  const options = ['--mountpoint', mountPoint, '--run-dir', runDirectory]
  if (config !== DEFAULT_SETTINGS.config) options.push('--config', config)
  if (log !== undefined) options.push('--log', log)
  return [...options, ...command]
}
