/** clock_gettime(2): Node has no call for the clock that goes on during suspend. */

import type { Clock } from '../host/host.ts'
import { checked, int, libc, pointer } from './libc.ts'

const CLOCK_MONOTONIC = 1
const CLOCK_BOOTTIME = 7

const calls = libc({ clock_gettime: { args: [int, pointer], returns: int } })

/** struct timespec: seconds, then nanoseconds, 8 bytes each; both stay far below 2^53. */
const timespec = new Uint32Array(4)

function readClock(clock: number): number {
  checked(calls().clock_gettime(clock, timespec), 'clock_gettime', 'read the clock')
  const [secondsLow = 0, secondsHigh = 0, nanoseconds = 0] = timespec
  return (secondsHigh * 2 ** 32 + secondsLow) * 1e6 + Math.floor(nanoseconds / 1000)
}

export class SystemClock implements Clock {
  /** How far the clock is ahead of the system's. */
  aheadUsec = 0

  monotonicUsec(): number {
    return readClock(CLOCK_MONOTONIC) + this.aheadUsec
  }

  boottimeUsec(): number {
    return readClock(CLOCK_BOOTTIME) + this.aheadUsec
  }
}

export const systemClock: Clock = new SystemClock()
