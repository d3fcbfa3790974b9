/**
 * Directories of sysfs that a container sees instead of the host's: /sys/devices/system/cpu and node. Of such a directory
 * only what differs is described; everything else in it is the host's, as far as everybody may read it.
 */

import type { DirectoryPath } from '../paths.ts'
import type { View } from '../view.ts'

/**
 * Paths are below the directory: '' for itself, `cpu0/topology`. Unless it says otherwise a path is the container's, in
 * which `cpu0` may be another CPU than on the host. `view` is `undefined` for who sees the host's CPUs.
 */
export interface SysDirectory {
  readonly path: DirectoryPath
  /**
   * The host's name of what the container sees as `name` in the directory `within`; `undefined` for nothing. It is asked
   * for names that anybody has made up.
   */
  hostName(within: string, name: string, view: SysView | undefined): string | undefined
  /** Whether the container does not see an entry of that name that the host has. */
  isHidden(within: string, hostName: string, view: SysView | undefined): boolean
  /** The names that the container sees in `within`, of those that the host has there, and besides what is hidden. */
  shownNames(within: string, names: readonly string[], view: SysView | undefined): readonly string[]
  /** What the file says; `undefined` where it says what the host's says. */
  findRender(path: string): SysRender | undefined
  /** What the link says, of which `host` is what it says on the host: that, where this is not there. */
  renderLink?(path: string, host: string): string
  /** Whether the container may see the entry at one moment and not at the next one. */
  isFleeting(path: string): boolean
}

/** What is asked of a view. */
export type SysView = Pick<View, 'options' | 'cpus' | 'nodes' | 'hostFile' | NodeQuestion>

/** What the memory of a node is made of. */
type NodeQuestion = 'hostText' | 'memory' | 'events' | 'numaStat'

/** Makes the container's text of that of the host's file. */
export type SysRender = (host: string, view: SysView) => string
