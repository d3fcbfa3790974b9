/** A server process, as its keeper has it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { openPipe } from '../sys/pipe.ts'
import { commandLine, type Settings } from './settings.ts'

export interface ServerProcess {
  /** When it answers requests; never for one that does not get so far. */
  ready: Promise<void>
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
  const child = spawn(process.execPath, commandLine(settings, 'server', ...args), {
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'inherit', fuse, reader],
  })
  closeSync(reader)
  const ended = untilEnded(child)
  ended.then(() => closeSync(writer))
  return {
    ready: new Promise(resolve => child.stdout?.once('data', () => resolve())),
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

function untilEnded(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.on('error', error => resolve(`it cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`))
  })
}
