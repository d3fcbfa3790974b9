/** A server process, as its keeper has it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { openPipe } from '../../sys/pipe.ts'
import { ownProgram } from '../executable.ts'
import { ANSWERED, READY } from '../handover.ts'
import { commandLine, type Settings } from '../settings.ts'

export interface ServerProcess {
  pid: number | undefined
  /** The writing end of the pipe whose end it waits for: a byte there tells it to end. */
  control: number
  /** When it could answer requests; never for one that does not get so far. */
  ready: Promise<void>
  /** When it has answered one. */
  answered: Promise<void>
  /** How it ended. */
  ended: Promise<string>
  kill(): void
}

/** `fuse` is /dev/fuse, `args` what follows the name of the command. */
export function startServer(
  settings: Settings,
  fuse: number,
  args: readonly string[],
): ServerProcess {
  const { reader, writer } = openPipe()
  const { path, argv0 } = ownProgram()
  const child = spawn(path, commandLine(settings, 'server', ...args), {
    argv0,
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'inherit', fuse, reader],
  })
  closeSync(reader)
  const ended = untilEnded(child)
  ended.then(() => closeSync(writer))
  return {
    pid: child.pid,
    control: writer,
    ready: untilTold(child, READY),
    answered: untilTold(child, ANSWERED),
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

function untilTold(child: ChildProcess, word: string): Promise<void> {
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
