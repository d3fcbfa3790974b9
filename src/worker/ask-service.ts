/** Asks a worker of the service that runs, and waits for its answer: a hook's way to have its work done. */

import { sleep } from '../sys/sleep.ts'
import { closeSocket, connectTo, peerOf, receive, sendSome } from '../sys/unix-socket.ts'
import { type Answer, type JobName, type Question, socketOf } from './messages.ts'
import { ownNamespaces } from './own-namespaces.ts'

const RETRY_MS = 1

/**
 * Returns `undefined` when no service listens, or it is another's, or no answer came within `timeoutMs`: who asks then
 * does the job by itself.
 */
export function askService<T>(
  runDirectory: string,
  job: JobName,
  input: unknown,
  timeoutMs: number,
): T | undefined {
  const deadline = performance.now() + timeoutMs
  const fd = connectTo(socketOf(runDirectory))
  if (fd === undefined) return undefined
  try {
    if (peerOf(fd).uid !== process.geteuid?.()) return undefined
    const untilMs = Date.now() + timeoutMs
    const question: Question = { job, input, untilMs, namespaces: ownNamespaces() }
    if (!sendAll(fd, Buffer.from(`${JSON.stringify(question)}\n`), deadline)) return undefined
    const text = receiveAll(fd, deadline)
    if (text === undefined) return undefined
    const answer = JSON.parse(text) as Answer
    return 'result' in answer ? (answer.result as T) : undefined
  } catch {
    return undefined
  } finally {
    closeSocket(fd)
  }
}

function sendAll(fd: number, bytes: Buffer, deadline: number): boolean {
  let left = bytes
  while (left.length > 0) {
    const size = sendSome(fd, left)
    if (size === undefined || performance.now() > deadline) return false
    if (size === 0) sleep(RETRY_MS)
    left = left.subarray(size)
  }
  return true
}

/** Returns what came until the end; `undefined` when that did not come in time. */
function receiveAll(fd: number, deadline: number): string | undefined {
  const pieces: Buffer[] = []
  for (;;) {
    const piece = Buffer.allocUnsafe(16 * 1024)
    const leftMs = Math.ceil(Math.max(0, deadline - performance.now()))
    const size = receive(fd, piece, leftMs)
    if (size === 0) return Buffer.concat(pieces).toString()
    if (size !== undefined) pieces.push(piece.subarray(0, size))
    else if (leftMs === 0) return undefined
  }
}
