/** Runs the server: answers requests from /dev/fuse until the connection ends. */

import { DeviceFiles } from '../../container/device-files.ts'
import { Registry } from '../../container/registry.ts'
import { QUARANTINE_CELLS, Quarantine } from '../../filesystem/quarantine.ts'
import { findPlace, type Offered, slotOf } from '../../filesystem/tree.ts'
import { FuseDevice } from '../../fuse/device.ts'
import { JOURNAL_SIZE, Journal } from '../../fuse/journal.ts'
import type { Session } from '../../fuse/session.ts'
import { type Host, orUndefined } from '../../host/host.ts'
import { FILES } from '../../proc/files.ts'
import type { Log } from '../../sys/log.ts'
import { mapMemory } from '../../sys/shared-memory.ts'
import type { Init } from '../../view/devices.ts'
import { tellWorkers } from '../../worker/tell-workers.ts'
import { canResend } from '../can-resend.ts'
import type { Settings } from '../default-settings.ts'
import { ANSWERED, READY, type ServerOrders, say } from '../handover.ts'
import { mapInRunDirectory } from '../mapped-numbers.ts'
import { assemble, type Parts } from './assembly.ts'
import { IdleWork } from './idle-work.ts'
import { KeeperLink } from './keeper-link.ts'
import { beginRehearsal } from './rehearsal-server.ts'
import { becomeSoleServer, countServers } from './sole-server.ts'

/** The server says READY and ANSWERED to its keeper on stdout. */
const STDOUT = 1

interface ServerSetup {
  host: Host
  settings: Settings
  log: Log
  version: string
  orders: ServerOrders
  /** /dev/fuse. */
  fuseFd: number
  /** The reading end of the pipe from the keeper. */
  keeperFd: number
  /** The memory into which requests are read. */
  requestsFd: number
}

/** Returns when the file system was unmounted, or when the keeper wants it. */
export function runServer(setup: ServerSetup): void {
  const { host, settings, log, version, orders, fuseFd, keeperFd, requestsFd } = setup
  const keeperLink = new KeeperLink(keeperFd, settings, orders, log)
  const offered = offeredFiles(host)
  say(STDOUT, READY)
  if (!becomeSoleServer(host, settings.runDirectory, keeperLink, orders.beforePid)) return
  const journal = new Journal(mapMemory(requestsFd, JOURNAL_SIZE))
  const registry = new Registry(settings.runDirectory)
  registry.migrate(error => log.error(error))
  const parts = {
    host,
    log,
    version,
    runDirectory: settings.runDirectory,
    registry,
    deviceFiles: new DeviceFiles(settings.runDirectory),
    wantDevices: (init: Init) => tellWorkers(settings.runDirectory, 'devices', init),
    quarantine: openQuarantine(setup, registry),
    defaults: orders.options,
    offered,
    servers: countServers(settings.runDirectory, !orders.resume),
    device: new FuseDevice(fuseFd),
    journal,
    keeperLink,
    answered: () => say(STDOUT, ANSWERED),
    mostWaitMs: Number.POSITIVE_INFINITY,
  }
  const idleWork = new IdleWork(performance.now(), rehearsal(setup, parts))
  const { session, turns } = assemble({ ...parts, idleWork })
  takeOver(session, journal, orders, log)
  while (turns.next());
  if (keeperLink.isToAnswer && !canResend()) session.finish()
}

/**
 * Has the session answer what servers before have read and not answered. Where those were of a version without a journal,
 * or it is damaged, the kernel is asked once to send that again.
 */
function takeOver(session: Session, journal: Journal, orders: ServerOrders, log: Log): void {
  if (journal.isWhole) {
    session.takeOver(orders.blameUsec !== undefined)
    return
  }
  const isSent = orders.resume && session.askAgain()
  if (!journal.isNew) {
    const left = isSent ? 'the kernel sends them again' : 'who waits for them may wait for ever'
    log.warning(`the requests that the server before has read cannot be found: ${left}`)
  }
  journal.clear()
}

/**
 * Returns what begins the rehearsal. There is none after a server that hung or crashed, nor while a file is known at
 * which one did: this one would do so, too.
 */
function rehearsal({ settings, orders }: ServerSetup, parts: Omit<Parts, 'idleWork'>) {
  return () => {
    if (orders.blameUsec !== undefined || !parts.quarantine.isEmpty) return [].values()
    return beginRehearsal({ settings, orders, parts })
  }
}

/** Finds out what the server before was rendering or looking for, where it hung or crashed. */
function openQuarantine({ host, settings, log, orders }: ServerSetup, registry: Registry) {
  // Without a file nothing of this server is known to the next one.
  const cells = mapInRunDirectory(settings, 'rendering', QUARANTINE_CELLS, log)
  const quarantine = new Quarantine(cells, host.clock)
  const key = quarantine.blame(orders.blameUsec)
  if (key === undefined) return quarantine
  const slot = slotOf(key)
  const id = orUndefined(() => [...registry.containers()].find(each => each.slot === slot)?.id)
  const what = findPlace(key)?.path ?? 'the view'
  log.warning(
    `the server before failed at ${what} of ${id ?? 'a process'}, which sees the host's for 5 minutes`,
  )
  return quarantine
}

/**
 * Returns the files that containers are offered, which are those that the host has: a kernel without swap, for
 * example, has no /proc/swaps.
 */
function offeredFiles(host: Host): Offered {
  return new Set(FILES.filter(file => host.has(file.path)))
}
