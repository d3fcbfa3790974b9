/** A server process, as its keeper sees it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Host } from '../../host/host.ts'
import { openPipe } from '../../sys/pipe.ts'
import type { Settings } from '../default-settings.ts'
import { untilGone } from '../doomed.ts'
import { ownExecutable } from '../executable.ts'
import { ANSWERED, GO, READY, renderServerOrders, type ServerOrders, say } from '../handover.ts'
import { passNotifySocket } from '../notify.ts'
import { commandLine } from '../settings.ts'
import type { Descriptors } from './shared-mount.ts'

export interface ServerProcess {
  pid: number | undefined
  /** The writing end of the pipe that the server listens to. */
  pipe: number
  /** Resolves when the server says READY; never for a server that does not get so far. */
  ready: Promise<void>
  /** Resolves when the server says ANSWERED. */
  answered: Promise<void>
  /** Whether it has said ANSWERED. */
  hasAnswered: boolean
  /** When it was started, of performance.now(). */
  startedMs: number
  /** Resolves with a text that says how the server ended. */
  ended: Promise<string>
  /** Resolves as `ended`, and with LEFT when the server was killed by `kill` and is not gone. */
  over: Promise<string>
  readonly isEnded: boolean
  kill(): void
  /** Tells the server that no other can answer. */
  go(): void
}

/** What is said of a server that nobody waits for any more. */
export const LEFT = 'it was killed and is not gone'

/**
 * What the server's garbage collector takes for the memory of the machine. It lets the heap grow the less until it collects:
 * the server has 25 MiB less when containers make it work hard, and reads cost the same. With less still they cost more.
 */
const COLLECTOR_BYTES = 75e6

/**
 * How the server's compiler works. It takes a tenth of the usual number of calls for a function that is worth its time:
 * ten containers call none often enough within minutes. It does without its last stage, FTL, which takes most of the time
 * and memory: what a read costs is system calls, and main memory that is cold, more than instructions.
 */
const ENGINE = {
  BUN_JSC_forceRAMSize: String(COLLECTOR_BYTES),
  BUN_JSC_jitPolicyScale: '0.1',
  BUN_JSC_useFTLJIT: '0',
}

export function startServer(
  host: Host,
  settings: Settings,
  { fuse, requests }: Descriptors,
  orders: ServerOrders,
): ServerProcess {
  const { reader, writer } = openPipe()
  const { path, argv0 } = ownExecutable()
  const child = spawn(path, commandLine(settings, 'server', ...renderServerOrders(orders)), {
    argv0,
    cwd: '/',
    // The keeper that the server may have to start speaks to systemd, too.
    env: { ...ENGINE, ...passNotifySocket(process.env) },
    // The last three become FUSE_FD, KEEPER_FD and REQUESTS_FD.
    stdio: ['ignore', 'pipe', 'inherit', fuse, reader, requests],
  })
  closeSync(reader)
  let isEnded = false
  const ended = untilEnded(child)
  ended.then(() => {
    isEnded = true
    closeSync(writer)
  })
  let leave: (how: string) => void = () => {}
  const left = new Promise<string>(resolve => {
    leave = resolve
  })
  const server: ServerProcess = {
    pid: child.pid,
    pipe: writer,
    ready: untilSaid(child, READY),
    answered: untilSaid(child, ANSWERED),
    hasAnswered: false,
    startedMs: performance.now(),
    ended,
    over: Promise.race([ended, left]),
    get isEnded() {
      return isEnded
    },
    kill: () => {
      child.kill('SIGKILL')
      if (child.pid === undefined) return
      untilGone(host, child.pid, () => isEnded).then(isGone => isGone || leave(LEFT))
    },
    go: () => {
      if (!isEnded) say(writer, GO)
    },
  }
  server.answered.then(() => {
    server.hasAnswered = true
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
