/** The registered container that a command is about, with all its options. */

import type { Container } from '../../container/container.ts'
import { isAlive } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Options } from '../../proc/options.ts'
import { readDefaults } from '../../service/config.ts'
import type { Settings } from '../../service/settings.ts'

/** Throws when there is none, or it has ended. `action` is what the error says cannot be done. */
export function findRegistered(
  host: Host,
  settings: Settings,
  id: string,
  action: string,
): Container & { options: Options } {
  const container = new Registry(settings.runDirectory).resolve(id)
  if (!isAlive(host, container)) {
    throw new Error(`Cannot ${action} ${container.id}: its process ${container.pid} has ended`)
  }
  return { ...container, options: { ...readDefaults(settings), ...container.options } }
}
