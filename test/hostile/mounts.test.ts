/**
 * 3000 mounts whose sources are long make 48 MB of /proc/PID/mountinfo. A container of uid 1000 without capabilities has
 * them, and a user of the host in no container, who reads the caller's files at the top of our mount.
 */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { attackAsUser, attackIn } from './attackers.ts'
import { HOSTILE, trial } from './trial.ts'

const PLENTY = ['3000', '4000']
const LEAST_BYTES = 40e6
const FILES = ['/proc/diskstats', '/proc/partitions']

const sizeOf = (pid: number) => readFileSync(`/proc/${pid}/mountinfo`).length

t.test('mounts without end', HOSTILE, t => {
  const pids: number[] = []
  return trial(t, {
    start: async ({ t, here }) => {
      const args = ['mounts', '--unshare', '/tmp', ...PLENTY, ...FILES]
      const callers = FILES.map(file => here.mountPoint + file)
      const attackers = [
        await attackIn(t, here, 'mounts', args, { uid: 1000 }),
        await attackAsUser(t, here, 'user', own => [
          ...['mounts', '--unshare', own],
          ...[...PLENTY, ...callers],
        ]),
      ]
      pids.push(...attackers.map(({ pid }) => pid))
      return attackers
    },
    meanwhile: async ({ t, here }) => {
      const { stdout } = await here.procveil(['ps', '--json'])
      const found = JSON.parse(stdout).find(({ id }: { id: string }) => id === 'mounts')
      t.equal(found.state, 'unknown', 'ps does not read them all')
      for (const pid of pids) t.ok(sizeOf(pid) > LEAST_BYTES)
    },
  })
})
