/**
 * The server is asked for the devices of a container whose root hangs whoever looks below it, at any second moment: what
 * mountinfo says of the root is true no more when the root is opened. In a user namespace of the runtime's, and as uid
 * 1000 without capabilities, whose init makes a user namespace by itself.
 */

import t from 'tap'
import { attackIn, ROOT } from './attackers.ts'
import { HOSTILE, trial } from './trial.ts'

const FILES = ['/proc/diskstats', '/proc/partitions']
/** One look at a container's devices hits its other root only now and then. */
const EACH = 2

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
  }),
)
