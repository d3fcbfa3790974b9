/** What is to be written for a runtime, before anything is. */

import type { Host } from '../../host/host.ts'
import type { Ran } from './run.ts'

/** What a file is, which says how our part is taken out of it once others have edited it. */
export type Kind =
  /** It holds nothing but what we wrote. */
  | 'own'
  /** Docker's daemon.json, with `features.cdi`, or with procveil-runtime. */
  | 'docker'
  /** containerd's config.toml, with our lines between marks. */
  | 'containerd'
  /** iSulad's daemon.json, with `hook-spec`. */
  | 'isulad'
  /** The rules for NRI, which an administrator may go on with. */
  | 'nri'
  /** A list of hooks for each stage, with ours in between. */
  | 'hooks'

export interface Change {
  path: string
  text: string
  kind: Kind
}

export interface Plan {
  /** In the order in which they are written: what a file names is there before it. */
  changes: readonly Change[]
  /** What a person has to know besides. */
  notes: readonly string[]
  /** How containers get the hook now. */
  use: string
  /** The daemon that reads something of it only when it starts, or also when it is told to, and what. */
  restart?: { unit: string; reads: string; verb?: 'reload' | 'reload-or-restart' }
  /** Asks the daemon's own program whether it accepts the files. Throws when it does not. */
  validate?(): void
}

/** What a plan is made from. */
export interface Situation {
  host: Host
  /** Another path of the runtime's configuration file. */
  config: string | undefined
  setAsDefault: boolean
  /** Whether procveil-runtime is to be a runtime of it. */
  asRuntime: boolean
  /** Whether containers can ask for the hook otherwise, as they could before. */
  asDevice: boolean
  /** The text of a file without what procveil has written into it; `undefined` where there would be none. */
  original(path: string): string | undefined
  run(program: string, args: readonly string[]): Ran
}
