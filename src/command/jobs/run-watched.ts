/** Does a hook's work in a process of its own, where no service can be asked, and goes on without it when it hangs. */

import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownExecutable } from '../../service/executable.ts'
import { commandLine } from '../../service/settings.ts'
import type { HookInput, HookResult } from './run-hook.ts'

/** `deadline` is a time of performance.now(). Throws when the process has not ended by then. */
export async function runWatched(
  { settings, strict, state }: HookInput,
  deadline: number,
): Promise<HookResult> {
  const { path, argv0 } = ownExecutable()
  const args = ['hook', '--direct', ...(strict ? ['--strict'] : [])]
  // A runtime waits until nobody holds its hook's stdout and stderr any more, so these are not given on.
  const child = spawn(path, commandLine(settings, ...args), {
    argv0,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const complaints: Buffer[] = []
  child.stderr.on('data', (piece: Buffer) => complaints.push(piece))
  child.stdin.on('error', () => {})
  child.stdin.end(state)
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal === null) resolve(code ?? 1)
      else
        reject(new Error(`Cannot finish: the process that does a hook's work ended with ${signal}`))
    })
  })
  const late = sleep(deadline - performance.now(), undefined, { ref: false })
  const status = await Promise.race([ended, late])
  if (status !== undefined) return { status, complaints: Buffer.concat(complaints).toString() }
  child.kill('SIGKILL')
  child.unref()
  const text =
    'Cannot bind the files in time: the container starts without them; see procveil doctor, then procveil remount --all'
  throw Object.assign(new Error(text), { code: 'ETIMEDOUT' })
}
