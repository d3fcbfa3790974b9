/** What a keeper is made of. */

import type { Options } from '../../proc/options.ts'
import type { Settings } from '../default-settings.ts'
import type { Predecessor } from './predecessor.ts'
import type { SharedMount } from './shared-mount.ts'
import type { Signals } from './signals.ts'
import type { Systemd } from './systemd.ts'

export interface KeptMount {
  settings: Settings
  mount: SharedMount
  /** The options of containers that have none of their own. */
  options: Options
  /** Whether the mount is not a new one, but another process has kept it until now. */
  adopted: boolean
  /** Whether the registered containers may have the files of another mount, or none. */
  toHeal: boolean
  /** The server that answers at the mount until the keeper's own server does. */
  predecessor: Predecessor | undefined
  signals: Signals
  systemd: Systemd
  /** Called once, when the mount answers. `healed` resolves when the containers have its files. */
  announce: (healed: Promise<void>) => void
}
