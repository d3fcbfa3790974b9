/** Makes what the global options name ready for use. */

import { lstatSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { realPath } from '../host/host.ts'
import { DEFAULT_SETTINGS, type Settings } from './default-settings.ts'

/**
 * Makes all paths absolute, and spells the mount point as the kernel does in mountinfo. Only the directory above the
 * mount point is looked at: the server of the mount may be dead.
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

const WRITABLE_BY_OTHERS = 0o022

/**
 * Makes the run directory, which only root may see into. Throws when it cannot be made, and when others may change what
 * is in one that is there: who can register a container and who answers would be theirs to say.
 */
export function makeRunDirectory({ runDirectory }: Settings): void {
  try {
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Error(`Cannot make the run directory ${runDirectory}`, { cause })
  }
  const { mode, uid } = statSync(runDirectory)
  for (const owner of [lstatSync(runDirectory).uid, uid]) {
    if (owner === 0 || owner === process.geteuid?.()) continue
    throw new Error(
      `Cannot use the run directory ${runDirectory}: it belongs to user ${owner}; remove it, or chown root ${runDirectory}`,
    )
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new Error(
      `Cannot use the run directory ${runDirectory}: its mode ${(mode & 0o7777).toString(8)} lets others write there; remove it, or chmod 700 ${runDirectory}`,
    )
  }
}

/** The file of the rules for NRI, beside the configuration. Where it is, the service has a plugin. */
export const nriRules = ({ config }: Pick<Settings, 'config'>) => join(dirname(config), 'nri.json')

/** Returns the arguments of another process of ours, which gets the same settings. */
export function commandLine(settings: Settings, ...command: string[]): string[] {
  const { mountPoint, runDirectory, config, log } = settings
  const options = ['--mountpoint', mountPoint, '--run-dir', runDirectory]
  if (config !== DEFAULT_SETTINGS.config) options.push('--config', config)
  if (log !== undefined) options.push('--log', log)
  return [...options, ...command]
}
