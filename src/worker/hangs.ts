/** Asks the service whether it gets on, without a question for its workers: it closes a connection that was closed. */

import { connect } from 'node:net'
import { socketOf } from './messages.ts'

/** Whether the process that listens takes no notice within `timeoutMs`. Where none listens, it may be about to end. */
export function hangs(runDirectory: string, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(socketOf(runDirectory))
    const timer = setTimeout(() => end(true), timeoutMs)
    const end = (isHung: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isHung)
    }
    socket.on('error', () => end(false))
    socket.on('end', () => end(false))
    socket.on('close', () => end(false))
    socket.resume()
    socket.end()
  })
}
