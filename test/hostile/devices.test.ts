/**
 * The server is asked for the devices of a container whose root hangs whoever looks below it, at any second moment: what
 * mountinfo says of the root is true no more when the root is opened. In a user namespace of the runtime's, and as uid
 * 1000 without capabilities, whose init makes a user namespace by itself.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { attackIn, ROOT } from './attackers.ts'
import { HOSTILE, trial } from './trial.ts'

const FILES = ['/proc/diskstats', '/proc/partitions']
/** One look at a container's devices hits its other root only now and then. */
const EACH = 2
/** A container's devices are looked at every 10 s: so they are a second time. */
const LOOKS_MS = 11_000

t.test('a root that changes all the time', HOSTILE, t =>
  trial(t, {
    start: ({ t, here }) =>
      Promise.all(
        Array.from({ length: EACH }, (_, i) => [
          attackIn(t, here, `root-${i}`, ['flip', '/tmp', '/dev/fuse', ...FILES], {
            userNamespace: true,
            fuse: true,
            capabilities: ROOT,
          }),
          attackIn(t, here, `user-${i}`, ['flip', '--unshare', '/tmp', '/dev/fuse', ...FILES], {
            uid: 1000,
            fuse: true,
          }),
        ]).flat(),
      ),
    meanwhile: async () => sleep(LOOKS_MS),
  }),
)
