/** The global options: where things are. Every process that we start carries them in its command line. */

export interface Settings {
  mountPoint: string
  runDirectory: string
  /** The file of defaults for the options; see `readDefaults`. */
  config: string
  /** `undefined` when messages go to stderr only. */
  log: string | undefined
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  mountPoint: '/var/lib/lxc/lxcfs',
  runDirectory: '/run/procveil',
  config: '/etc/procveil/config.json',
  log: undefined,
}
