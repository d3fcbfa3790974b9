/**
 * `procveil serve`: serves the shared mount in the foreground. `procveil server` is its other half, which answers the
 * requests.
 */

import { readlinkSync, writeFileSync } from 'node:fs'
import { Host } from '../host/host.ts'
import { KeptHost } from '../host/kept-host.ts'
import { mostOpenFiles } from '../host/open-files.ts'
import type { Settings } from '../service/default-settings.ts'
import {
  FUSE_FD,
  KEEPER_FD,
  type KeeperOrders,
  REQUESTS_FD,
  type ServerOrders,
} from '../service/handover.ts'
import { leaveCgroups } from '../service/keeper/leave-cgroups.ts'
import { runKeeper } from '../service/keeper/run-keeper.ts'
import { standBy } from '../service/keeper/standby.ts'
import { Systemd } from '../service/keeper/systemd.ts'
import { takePassed } from '../service/notify.ts'
import { runServer } from '../service/server/run-server.ts'
import { CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, useOnly } from '../sys/capabilities.ts'
import { systemClock } from '../sys/clock.ts'
import { fileCalls } from '../sys/file.ts'
import { Log } from '../sys/log.ts'
import { prestart } from './prestart.ts'
import { VERSION } from './version.ts'

export interface ServeOptions {
  /** Whether the process waits while another keeper serves, instead of failing. */
  standby?: boolean
  /** Whether it does first what `prestart` does, where no mount is there to go on with. */
  prestart?: boolean
}

/** Returns the exit status. */
export async function serve(
  settings: Settings,
  orders: KeeperOrders,
  options: ServeOptions,
): Promise<number> {
  const host = new Host('/', systemClock)
  const log = new Log('serve', settings.log)
  if (orders.adopted !== undefined) requireFuse(orders.adopted.fuseFd)
  nameProcess()
  // A person or systemd has put the service where it is to be, and asks for no READY.
  const isLaunched = orders.readyFd !== undefined && orders.adopted === undefined
  if (isLaunched) leaveCgroups(host, message => log.info(message))
  const systemd = new Systemd(host, settings, log)
  const passed = takePassed(process.env, process.pid)
  if (options.standby && !(await standBy(host, settings, log, systemd))) return 0
  if (options.prestart && passed.length === 0) await prestart(settings)
  return runKeeper({ host, settings, log, version: VERSION, orders, systemd, passed })
}

/** Runs the process that a keeper starts. Returns the exit status when the mount is gone. */
export function server(settings: Settings, orders: ServerOrders): number {
  const log = new Log('server', settings.log)
  requireFuse(FUSE_FD)
  nameProcess()
  // A signal to the whole process group must not end the server: the keeper takes the mount away first.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  layDownCapabilities(log)
  const limits = new Host('/', systemClock).tryRead('proc/self/limits') ?? ''
  const host = new KeptHost('/', systemClock, fileCalls, mostOpenFiles(limits))
  runServer({
    host,
    settings,
    log,
    version: VERSION,
    orders,
    fuseFd: FUSE_FD,
    keeperFd: KEEPER_FD,
    requestsFd: REQUESTS_FD,
  })
  return 0
}

/**
 * A server only reads: files of processes of all users (CAP_SYS_PTRACE), and of cgroups, whose owners may have taken the
 * right to read them from all others (CAP_DAC_READ_SEARCH). The keeper that it may have to start uses all capabilities
 * again.
 */
function layDownCapabilities(log: Log): void {
  try {
    useOnly([CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE])
  } catch (error) {
    log.error(error)
  }
}

function requireFuse(fd: number): void {
  if (isFuse(fd)) return
  throw new Error(`Cannot serve: descriptor ${fd} is not /dev/fuse; start procveil serve instead`)
}

function isFuse(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse'
  } catch {
    return false
  }
}

/** A process that was started from a descriptor would be called `exe`. */
function nameProcess(): void {
  writeFileSync('/proc/self/comm', 'procveil')
}
