/**
 * Workers for what root's containers have and for what users' have. Users make processes and directories that hang as
 * they like: they have workers of their own, and take none from root's containers.
 */

import type { Settings } from '../../service/default-settings.ts'
import { Workers } from '../../worker/workers.ts'

const MOST_HUNG_OF_USERS = 16

export class Pools {
  readonly root: Workers
  readonly users: Workers

  /** `most` and `mostHung` are those of each pool; fewer of users' may hang. */
  constructor(settings: Settings, { most, mostHung }: { most: number; mostHung: number }) {
    this.root = new Workers(settings, { most, mostHung })
    this.users = new Workers(settings, { most, mostHung: Math.min(mostHung, MOST_HUNG_OF_USERS) })
  }

  async close(): Promise<void> {
    await Promise.all([this.root.close(), this.users.close()])
  }
}
