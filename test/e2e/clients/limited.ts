/**
 * Two containers with different limits, with the host's programs inside: what a client says must differ
 * between them as their limits do. The smaller one holds 64 MiB of shared memory.
 */

import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Test } from 'tap'
import { type Box, started } from '../../kit/box.ts'
import { needs } from '../../kit/requirements.ts'
import { bindMount, type Mount } from '../../kit/runc-config.ts'
import { site } from '../../kit/site.ts'

export interface Limited {
  box: Box
  memoryKib: number
  /** As many as it sees. */
  cpus: number
  /** The least that counts as used. */
  sharedKib: number
}

const MiB = 2 ** 20
const KIB_PER_MIB = 1024

const SHARED_MEMORY: Mount = {
  destination: '/dev/shm',
  type: 'tmpfs',
  source: 'shm',
  options: ['nosuid', 'nodev', 'size=128m'],
}

/** For programs that want a terminal: `script` gives them one. */
const TERMINALS: Mount = {
  destination: '/dev/pts',
  type: 'devpts',
  source: 'devpts',
  options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
}

/** The Node that runs this test, whether it lies in /usr or not. */
export const NODE = '/node'

export async function limited(t: Test, mounts: readonly Mount[] = []): Promise<Limited[]> {
  const here = site(t)
  const start = async (id: string, memoryMib: number, quotaCpus: number, sharedMib: number) => {
    const box = await started(t, here, id, {
      memoryBytes: memoryMib * MiB,
      quotaUsec: quotaCpus * 100_000,
      hostPrograms: true,
      mounts: [SHARED_MEMORY, TERMINALS, bindMount(process.execPath, NODE), ...mounts],
    })
    await box.sh(`dd if=/dev/zero of=/dev/shm/filled bs=1M count=${sharedMib} 2>/dev/null`)
    return {
      box,
      memoryKib: memoryMib * KIB_PER_MIB,
      cpus: Math.min(Math.ceil(quotaCpus), cpus().length),
      sharedKib: sharedMib * KIB_PER_MIB,
    }
  }
  return [await start('small', 256, 1, 64), await start('large', 512, 1.5, 0)]
}

/** As `needs`, with files that belong to a Debian package: `{ '/usr/bin/htop': 'htop' }`. */
export function needsFiles(files: Readonly<Record<string, string>>): { skip?: string } {
  const needed = needs('runc')
  const missing = Object.entries(files).find(([path]) => !existsSync(path))
  if (needed.skip !== undefined || missing === undefined) return needed
  const skip = `needs ${missing[0]}: apt-get install ${missing[1]}`
  if (process.env.PROCVEIL_NO_SKIP) throw new Error(`Cannot run the end-to-end tests: ${skip}`)
  return { skip }
}

/** Numbers of the first line that begins with `label`. */
export function numbersAfter(text: string, label: string): number[] {
  const line = text.split('\n').find(line => line.trimStart().startsWith(label))
  if (line === undefined) throw new Error(`Cannot find "${label}" in: ${text}`)
  return (line.slice(line.indexOf(label) + label.length).match(/\d+(?:\.\d+)?/g) ?? []).map(Number)
}

/** Starts a loop in the container that uses a CPU for so long, and does not wait for it. */
export async function keepBusy({ box }: Limited, seconds: number): Promise<void> {
  const loop = `timeout ${seconds} sh -c 'while :; do :; done'`
  await box.sh(`setsid ${loop} >/dev/null 2>&1 </dev/null &`)
}
