/** `procveil serve`: serves the shared mount in the foreground. `procveil server` is its other half, which answers. */

import { readlinkSync, writeSync } from 'node:fs'
import { release } from 'node:os'
import { FuseDevice, openClone } from '../fuse/device.ts'
import { Host } from '../host/host.ts'
import { parseDefaults } from '../server/config.ts'
import { Control } from '../server/control.ts'
import { CONTROL_FD, FUSE_FD } from '../server/descriptors.ts'
import { keep } from '../server/keeper.ts'
import { serve as answer } from '../server/server.ts'
import type { Settings } from '../server/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'

export interface ServeOptions {
  readyFd?: number
  /** The options of the containers, in JSON, of the keeper whose mount is taken over. */
  adopt?: string
  resend: boolean
}

/** Returns the exit status when the server is stopped. */
export async function serve(
  settings: Settings,
  { readyFd, adopt, resend }: ServeOptions,
): Promise<number> {
  if (adopt !== undefined) requireFuse()
  return keep(new Host('/', systemClock), settings, new Log('serve', settings.log), {
    readyFd,
    adopted: adopt === undefined ? undefined : parseDefaults(adopt, '--adopt'),
    withoutResend: !resend || !canResend(),
  })
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
  requireFuse()
  // Those that end a group of processes at once: the mount goes first, by the other half.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  const adopt = ['--adopt', options, ...(resend ? [] : ['--without-resend'])]
  answer({
    host: new Host('/', systemClock),
    runDirectory: settings.runDirectory,
    defaults: parseDefaults(options, '--options'),
    device: resend ? new FuseDevice(FUSE_FD) : openClone(FUSE_FD),
    control: new Control(CONTROL_FD, settings, adopt, log),
    resume: resume === true && resend,
    ready: () => void writeSync(1, 'r'),
    log,
  })
  return 0
}

/** FUSE_NOTIFY_RESEND came with Linux 6.9. */
function canResend(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 9)
}

function requireFuse(): void {
  if (isFuse(FUSE_FD)) return
  throw new Error(
    `Cannot serve: descriptor ${FUSE_FD} is not /dev/fuse; start procveil serve instead`,
  )
}

function isFuse(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse'
  } catch {
    return false
  }
}
