/** A server process, as its keeper sees it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { openPipe } from '../../sys/pipe.ts'
import { ownExecutable } from '../executable.ts'
import { ANSWERED, READY, renderServerOrders, type ServerOrders } from '../handover.ts'
import { commandLine, type Settings } from '../settings.ts'

export interface ServerProcess {
  pid: number | undefined
  /** The writing end of the pipe that the server listens to. */
  pipe: number
  /** Resolves when the server says READY; never for a server that does not get so far. */
  ready: Promise<void>
  /** Resolves when the server says ANSWERED. */
  answered: Promise<void>
  /** When it was started, of performance.now(); `undefined` once it has said ANSWERED. */
  startedMs: number | undefined
  /** Resolves with a text that says how the server ended. */
  ended: Promise<string>
  kill(): void
}

/** `fuse` is /dev/fuse of the mount. */
export function startServer(settings: Settings, fuse: number, orders: ServerOrders): ServerProcess {
  const { reader, writer } = openPipe()
  const { path, argv0 } = ownExecutable()
  const child = spawn(path, commandLine(settings, 'server', ...renderServerOrders(orders)), {
    argv0,
    cwd: '/',
    env: {},
    // The last two become descriptors 3, FUSE_FD, and 4, KEEPER_FD.
    stdio: ['ignore', 'pipe', 'inherit', fuse, reader],
  })
  closeSync(reader)
  const ended = untilEnded(child)
  ended.then(() => closeSync(writer))
  const server: ServerProcess = {
    pid: child.pid,
    pipe: writer,
    ready: untilSaid(child, READY),
    answered: untilSaid(child, ANSWERED),
    startedMs: performance.now(),
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
  server.answered.then(() => {
    server.startedMs = undefined
  })
  return server
}

function untilSaid(child: ChildProcess, word: string): Promise<void> {
  return new Promise(resolve => {
    child.stdout?.on('data', (data: Buffer) => {
      if (data.includes(word)) resolve()
    })
  })
}

function untilEnded(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.on('error', error => resolve(`it cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`))
  })
}
