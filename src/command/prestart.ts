/**
 * `procveil prestart`: prepares the directory above the mount point, before the service starts. The directory becomes
 * a shared mount of its own, so that a container which has it as a slave sees the mount that the service makes there.
 * Mounts there of services that are gone are taken off.
 */

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Host } from '../host/host.ts'
import { findMount } from '../host/mountinfo.ts'
import { ask } from '../mount/ask.ts'
import { findServed, unmountAll } from '../mount/served.ts'
import { isShared } from '../mount/target.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { MS_BIND, MS_SHARED, mount } from '../sys/mount.ts'

const ANSWER_MS = 2000

/** Returns the exit status. Throws when a mount cannot be made. */
export async function prestart(settings: Settings): Promise<number> {
  const { mountPoint } = settings
  const host = new Host('/', systemClock)
  const log = new Log('prestart', settings.log)
  // A service that hangs is not gone: its keeper replaces the server.
  const served = findServed(host, mountPoint)
  if (served !== undefined && (await ask(mountPoint, ANSWER_MS)) === 'gone') {
    unmountAll(host, mountPoint)
    log.info(`released ${mountPoint}: nobody answered there`)
  }
  const base = dirname(mountPoint)
  mkdirSync(base, { recursive: true })
  const found = () => findMount(host.read('proc/self/mountinfo'), base)
  if (found() === undefined) {
    mount({ source: base, target: base, type: 'none', flags: MS_BIND })
    log.info(`made ${base} a mount of its own`)
  }
  const made = found()
  if (made === undefined || !isShared(made)) {
    mount({ source: 'none', target: base, type: 'none', flags: MS_SHARED })
    log.info(`made ${base} shared`)
  }
  return 0
}
