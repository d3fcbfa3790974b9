/** `procveil serve`: serves the shared mount in the foreground. `procveil server` is its other half, which answers. */

import { readlinkSync } from 'node:fs'
import { FuseDevice } from '../fuse/device.ts'
import { Host } from '../host/host.ts'
import { DEFAULT_OPTIONS } from '../proc/options.ts'
import { parseConfig } from '../server/config.ts'
import { FUSE_FD, keep } from '../server/keeper.ts'
import { serve as answer } from '../server/server.ts'
import type { Settings } from '../server/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'

/** Returns the exit status when the server is stopped. */
export async function serve(settings: Settings, readyFd: number | undefined): Promise<number> {
  return keep(new Host('/', systemClock), settings, new Log('serve', settings.log), readyFd)
}

/**
 * The process that `serve` starts, with the options that it has read: a file that was damaged since must not end
 * the views. Returns the exit status when the mount is gone. */
export function server(settings: Settings, options: string): number {
  const log = new Log('server', settings.log)
  if (!isFuse(FUSE_FD)) {
    throw new Error(
      `Cannot serve: descriptor ${FUSE_FD} is not /dev/fuse; start procveil serve instead`,
    )
  }
  // Those that end a group of processes at once: the mount goes first, by the other half.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  const defaults = { ...DEFAULT_OPTIONS, ...parseConfig(options, '--options') }
  answer(new Host('/', systemClock), settings.runDirectory, defaults, new FuseDevice(FUSE_FD), log)
  return 0
}

function isFuse(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse'
  } catch {
    return false
  }
}
