/** pipe2(2): how a process that starts another learns that it is ready, or that it ended. */

import { checked, int, libc, pointer } from './libc.ts'

const O_CLOEXEC = 0o2000000

const calls = libc({ pipe2: { args: [pointer, int], returns: int } })

export function openPipe(): { reader: number; writer: number } {
  const fds = new Int32Array(2)
  checked(calls().pipe2(fds, O_CLOEXEC), 'pipe2', 'open a pipe')
  const [reader = -1, writer = -1] = fds
  return { reader, writer }
}
