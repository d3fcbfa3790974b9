/** Asks a worker of the service that runs, and waits for its answer: a hook's way to have its work done. */

import { closeSync, readlinkSync } from 'node:fs'
import { sleep } from '../sys/lock.ts'
import { connectTo, peerOf, receive, sendSome } from '../sys/unix-socket.ts'
import { type Answer, type JobName, type Question, socketOf } from './messages.ts'

/** A worker sees the host as we do only where it is in the same namespaces. */
const NAMESPACES = ['mnt', 'pid', 'user'] as const

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
    const { pid, uid } = peerOf(fd)
    if (uid !== process.geteuid?.() || !isBeside(pid)) return undefined
    const question: Question = { job, input, untilMs: Date.now() + timeoutMs }
    if (!sendAll(fd, Buffer.from(`${JSON.stringify(question)}\n`), deadline)) return undefined
    const text = receiveAll(fd, deadline)
    if (text === undefined) return undefined
    const answer = JSON.parse(text) as Answer
    return 'result' in answer ? (answer.result as T) : undefined
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

const isBeside = (pid: number) =>
  NAMESPACES.every(
    name => readlinkSync(`/proc/self/ns/${name}`) === readlinkSync(`/proc/${pid}/ns/${name}`),
  )

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
