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

  /** The setup is that of each pool; fewer of users' workers may hang. */
  constructor(settings: Settings, setup: ConstructorParameters<typeof Workers>[1]) {
    const mostHung = Math.min(setup.mostHung, MOST_HUNG_OF_USERS)
    this.root = new Workers(settings, setup)
    this.users = new Workers(settings, { ...setup, mostHung })
  }

  async close(): Promise<void> {
    await Promise.all([this.root.close(), this.users.close()])
  }
}
