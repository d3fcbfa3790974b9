/** Has a worker of the service do something, for who waits for no answer. */

import { closeSync } from 'node:fs'
import { connectTo, sendSome } from '../sys/unix-socket.ts'
import { type JobName, socketOf } from './messages.ts'

/** Returns at once: false when no service listens, or it is too busy to take the message. */
export function tellWorkers(runDirectory: string, job: JobName, input: unknown): boolean {
  const fd = connectTo(socketOf(runDirectory))
  if (fd === undefined) return false
  try {
    const bytes = Buffer.from(`${JSON.stringify({ job, input })}\n`)
    return sendSome(fd, bytes) === bytes.length
  } finally {
    closeSync(fd)
  }
}
