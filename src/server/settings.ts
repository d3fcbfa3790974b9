/** The global options: where things are. Every process that we start carries them in its command line. */

export interface Settings {
  mountPoint: string
  runDirectory: string
  /** `undefined`: messages go to stderr only. */
  log: string | undefined
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  mountPoint: '/var/lib/lxc/lxcfs',
  runDirectory: '/run/procveil',
  log: undefined,
}

/** Command line of another process of ours, with the same settings. */
export function commandLine(settings: Settings, ...command: string[]): string[] {
  const { mountPoint, runDirectory, log } = settings
  const options = ['--mountpoint', mountPoint, '--run-dir', runDirectory]
  return [...options, ...(log === undefined ? [] : ['--log', log]), ...command]
}
