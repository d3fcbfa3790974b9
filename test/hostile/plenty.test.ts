/** More threads, cgroups, or texts that are begun, than anybody should count or keep. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { parseStatusField } from '../../src/host/proc-pid.ts'
import { cgroupsOf } from '../kit/cgroups.ts'
import { attackAsUser, attackIn } from './attackers.ts'
import { HOSTILE, TWO_TRIALS_MS, trial } from './trial.ts'

const MiB = 2 ** 20

/** A machine with few pids has fewer, and a thread takes some 32 KiB of the kernel's memory. */
const THREADS = Math.min(14_000, Math.floor(Number(readFileSync('/proc/sys/kernel/pid_max')) / 2))
const CGROUPS = 19_500
/** Threads are counted every 5 s. */
const SAMPLES_MS = 6000

/** Where the kernel lists a container's threads: any of its cgroups, of which cpu's is the cheapest. */
function tasksCgroup(pid: number): string {
  const found = cgroupsOf(pid).sort((one, other) => rank(one) - rank(other))[0]
  if (found === undefined) throw new Error(`Cannot find a cgroup of ${pid}`)
  return found
}

const rank = (path: string) => (/\/pids\//.test(path) ? 0 : /\/cpu[,/]/.test(path) ? 1 : 2)

t.setTimeout(TWO_TRIALS_MS)

t.test('threads, and cgroups below its own', HOSTILE, async t => {
  let parent: string | undefined
  let pid = 0
  const remove = () => {
    if (parent === undefined || !existsSync(parent)) return
    for (const name of readdirSync(parent)) if (/^\d+$/.test(name)) rmdirSync(join(parent, name))
    parent = undefined
  }
  await trial(t, {
    start: async ({ t, here }) => {
      const args = ['threads', '/tmp', '1', '/proc/loadavg']
      const attacker = await attackIn(t, here, 'cgroups', args)
      const made = tasksCgroup(attacker.pid)
      parent = made
      t.teardown(remove)
      for (let i = 0; i < CGROUPS; i++) {
        mkdirSync(join(made, String(i)))
        // What is measured meanwhile is measured by timers.
        if (i % 100 === 0) await sleep(0)
      }
      const endAll = () => {
        attacker.end()
        remove()
      }
      const many = ['threads', '/tmp', String(THREADS), '/proc/loadavg', '/proc/stat']
      const options = { uid: 1000, quotaUsec: 100_000 }
      const threads = await attackIn(t, here, 'threads', many, options)
      pid = threads.pid
      return [{ ...attacker, end: endAll }, threads]
    },
    meanwhile: async ({ t }) => {
      const seen = parseStatusField(readFileSync(`/proc/${pid}/status`, 'utf8'), 'Threads')
      t.ok(Number(seen) > THREADS, `it has ${seen} threads`)
      await sleep(SAMPLES_MS)
    },
  })
})

t.test('texts that are begun, of a container and of a user in none', HOSTILE, t => {
  const bytesOf = (directory: string) =>
    readdirSync(directory)
      .map(name => statSync(join(directory, name), { throwIfNoEntry: false })?.blocks ?? 0)
      .reduce((sum, blocks) => sum + blocks * 512, 0)
  return trial(t, {
    start: async ({ t, here }) => {
      const container = ['/proc/meminfo', '/proc/stat', '/proc/cpuinfo']
      const user = container.map(file => here.mountPoint + file)
      const args = ['pieces', '/tmp', '8000', ...container]
      return [
        await attackIn(t, here, 'pieces', args, { uid: 1000, quotaUsec: 100_000 }),
        await attackAsUser(t, here, 'user', own => ['pieces', own, '8000', ...user]),
      ]
    },
    meanwhile: async ({ t, here }) => {
      const bytes = bytesOf(join(here.runDirectory, 'texts'))
      t.ok(bytes > 100_000, `${bytes} bytes are kept`)
      t.ok(bytes < 2 * 4 * MiB + MiB, 'no more than 4 MiB each')
    },
  })
})
