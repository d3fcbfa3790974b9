/** strace(1) on processes of ours: it shows their system calls, and has some of them go wrong. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import type { Test } from 'tap'
import { retry } from './requirements.ts'

export interface Strace {
  /** Leaves the processes to themselves. */
  end(): Promise<void>
}

/** Attaches to processes and to those that they start from then on. The output goes to `file`. */
export async function strace(
  t: Test,
  pids: readonly number[],
  file: string,
  ...options: string[]
): Promise<Strace> {
  const args = ['-f', '-qq', '-o', file, ...options, ...pids.flatMap(pid => ['-p', String(pid)])]
  const child = execa('strace', args, { reject: false, stdio: 'ignore' })
  const end = async () => {
    child.kill('SIGTERM')
    await child
  }
  t.teardown(end)
  await retry(() => {
    if (pids.some(pid => !isTraced(pid))) throw new Error('Cannot go on: strace is not attached')
  })
  return { end }
}

const isTraced = (pid: number) =>
  !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
