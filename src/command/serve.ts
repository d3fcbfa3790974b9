/** `procveil serve`: serves the shared mount in the foreground. `procveil server` is its other half, which answers. */

import { readlinkSync, writeFileSync, writeSync } from 'node:fs'
import { release } from 'node:os'
import { FuseDevice, openClone } from '../fuse/device.ts'
import { Host } from '../host/host.ts'
import { KeptHost } from '../host/kept-host.ts'
import { parseDefaults } from '../service/config.ts'
import { ANSWERED, CONTROL_FD, FUSE_FD, READY } from '../service/handover.ts'
import { moveOut } from '../service/keeper/leave-cgroups.ts'
import { type Adopted, keep } from '../service/keeper/run-keeper.ts'
import { standBy } from '../service/keeper/standby.ts'
import { adoption } from '../service/launch.ts'
import { Control } from '../service/server/keeper-link.ts'
import { serve as answer } from '../service/server/run-server.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { fileCalls } from '../sys/file.ts'
import { Log } from '../sys/log.ts'
import { VERSION } from './version.ts'

export interface ServeOptions {
  readyFd?: number
  /** The options of the containers, in JSON, of the keeper whose mount is taken over. */
  adopt?: string
  /** Of that mount: /dev/fuse, and the process that answers. */
  fuseFd: number
  before?: number
  /** Waits while another keeper serves, instead of failing. */
  standby?: boolean
  resend: boolean
}

/** Returns the exit status when the server is stopped. */
export async function serve(
  settings: Settings,
  { readyFd, adopt, fuseFd, before, standby, resend }: ServeOptions,
): Promise<number> {
  const host = new Host('/', systemClock)
  const log = new Log('serve', settings.log)
  nameProcess()
  // Without them a person or systemd has started it, and put it where it is to be.
  if (readyFd !== undefined && before === undefined) moveOut(host, message => log.info(message))
  if (standby && !(await standBy(host, settings, log))) return 0
  return keep(host, settings, log, {
    version: VERSION,
    readyFd,
    adopted: adopt === undefined ? undefined : adopted(adopt, fuseFd, before),
    withoutResend: !resend || !canResend(),
  })
}

function adopted(options: string, fuse: number, before: number | undefined): Adopted {
  requireFuse(fuse)
  if (before === undefined) throw new Error('Cannot adopt a mount: --before is missing')
  return { options: parseDefaults(options, '--adopt'), fuse, server: before }
}

export interface ServerOptions {
  options: string
  resume?: boolean
  resend: boolean
}

/**
 * The process that `serve` starts, with the options that it has read: a file that was damaged since must not end
 * the views. Returns the exit status when the mount is gone.
 */
export function server(settings: Settings, { options, resume, resend }: ServerOptions): number {
  const log = new Log('server', settings.log)
  requireFuse(FUSE_FD)
  nameProcess()
  // Those that end a group of processes at once: the mount goes first, by the other half.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  const adopt = adoption(options, process.pid, !resend)
  answer({
    version: VERSION,
    host: new KeptHost('/', systemClock, fileCalls),
    runDirectory: settings.runDirectory,
    defaults: parseDefaults(options, '--options'),
    device: resend ? new FuseDevice(FUSE_FD) : openClone(FUSE_FD),
    control: new Control(CONTROL_FD, settings, adopt, log),
    isFirst: resume !== true,
    resume: resume === true && resend,
    ready: () => tell(READY),
    answered: () => tell(ANSWERED),
    log,
  })
  return 0
}

/** FUSE_NOTIFY_RESEND came with Linux 6.9. */
function canResend(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 9)
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

/** One that was started from a descriptor would be called `exe`. */
function nameProcess(): void {
  writeFileSync('/proc/self/comm', 'procveil')
}

/** A keeper that has died needs to know nothing. */
function tell(word: string): void {
  try {
    writeSync(1, word)
  } catch {}
}
