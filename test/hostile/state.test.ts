/** State of runtimes that a user of the host writes: links into a root of his that hangs, and forged containers. */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { makeRootfs } from '../kit/box.ts'
import { retry } from '../kit/requirements.ts'
import { type Attacker, attackAsUser } from './attackers.ts'
import { seenTotal } from './bounded.ts'
import { ends, HOSTILE, type Stage, TWO_TRIALS_MS, trial } from './trial.ts'

const USER = 1000

/** What a shell says when the command that is tried comes next. */
const PREPARED = 'the links are made'

t.setTimeout(TWO_TRIALS_MS)

t.test('a state directory that is a link to where it hangs', HOSTILE, t => {
  let pid = 0
  return trial(t, {
    start: async ({ t, here }) => {
      const args = (own: string) => ['hang', '--unshare', own, here.fuseDevice()]
      const user = await attackAsUser(t, here, 'user', args)
      pid = user.pid
      return [user]
    },
    meanwhile: async ({ t, here, victim }) => {
      const run = `/run/user/${USER}`
      const target = `/proc/${pid}/root/dev`
      // The usual directories are covered for the command alone: see Site.toolkit.
      const prepare = [
        `mkdir -p ${run} /home/user/.local/share`,
        ...['crun', 'runc', 'youki', 'containers', 'containerd', 'docker'].map(
          name => `ln -s ${target} ${run}/${name}`,
        ),
        `ln -s ${target} /home/user/.local/share/docker`,
        `chown -hR ${USER}:${USER} ${run} /home/user`,
        `echo ${PREPARED} >&2`,
      ]
      const roots = ['--runtime-root', `${here.directory}/runc`]
      const id = victim.box.id
      for (const args of [['ps'], ['doctor'], ['remount', '--all'], ['diff', '-c', id]]) {
        const ended = await ends(t, `${args.join(' ')} with links`, () =>
          here.toolkitAfter(prepare, ...args, ...roots),
        )
        t.match(ended?.stderr, PREPARED, 'all links are there')
        t.equal(ended?.exitCode, 0)
      }
      t.equal(await seenTotal(victim.box), victim.totalKib)
    },
  })
})

/** The slot that a container had before there was a key. */
function formerSlot(id: string, pid: number, startTicks: string): number {
  const text = `${id} ${pid} ${startTicks}`
  return 1 + (((hash(text, 0) % 2 ** 12) * 2 ** 32 + hash(text, 1)) % (2 ** 44 - 1))
}

/** FNV-1a, with a seed and a last mixing. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}

const startTicks = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')[19] ?? ''

/** A process of the user's that is root of a user namespace and has a root of its own, as in a rootless container. */
function startForged({ t, here }: Stage): Attacker {
  const drop = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups']
  const within = [
    'unshare',
    '--user',
    '--map-root-user',
    '--mount',
    '--pid',
    '--fork',
    `--root=${rootOf(here)}`,
    '--mount-proc',
  ]
  const command = [...drop, ...within, 'sleep', '1000']
  const child = spawn('setpriv', command, { detached: true, stdio: 'ignore', cwd: here.directory })
  const pid = child.pid ?? 0
  const end = () => {
    try {
      if (pid > 0) process.kill(-pid, 'SIGKILL')
    } catch {}
  }
  t.teardown(end)
  return { pid, end }
}

/** One root is enough for all. */
function rootOf(here: Stage['here']): string {
  const path = join(here.directory, 'forged')
  if (!existsSync(path)) makeRootfs(path)
  return path
}

/** The process that it started, of the same group. */
const initOf = ({ pid }: Attacker) =>
  retry(() => Number(execaSync('pgrep', ['-g', String(pid), '-x', 'sleep']).stdout))

t.test("containers that claim a neighbour's id and its former slot", HOSTILE, t => {
  let attackers: Attacker[] = []
  return trial(t, {
    start: async stage => {
      // Of several ids for one process only the first counts.
      attackers = [startForged(stage), startForged(stage)]
      return attackers.slice(0, 1)
    },
    meanwhile: async ({ t, here, victim }) => {
      const [first = 0, second = 0] = await Promise.all(attackers.map(initOf))
      const file = join(here.runDirectory, 'containers', `${victim.box.id}.json`)
      const before = readFileSync(file, 'utf8')
      const known = JSON.parse(before)
      // One with the whole slot takes 2^44 tries at the worst: that it follows from nothing public is what counts.
      const former = formerSlot(known.id, known.pid, String(known.startTicks))
      t.not(known.slot, former, 'a slot is nothing that others can compute')

      const state = join(here.directory, 'crun')
      for (const [id, pid] of [
        [victim.box.id, first],
        ['forged', second],
      ] as const) {
        mkdirSync(join(state, id), { recursive: true })
        const status = {
          pid,
          'process-start-time': Number(startTicks(pid)),
          bundle: '/x',
          rootfs: '/',
        }
        writeFileSync(join(state, id, 'status'), JSON.stringify(status))
      }
      execaSync('chown', ['-R', `${USER}:${USER}`, state])
      const remount = ['remount', '--all', '--json', '--runtime-root', `crun=${state}`]
      const ended = await ends(t, 'remount --all', () => here.toolkit(...remount))
      const { attached = [], failed = [] } = JSON.parse(ended?.stdout ?? '{}')
      t.ok(attached.includes('forged'), 'what he claims is seen')
      t.strictSame(failed, [])
      t.equal(readFileSync(file, 'utf8'), before, "the neighbour's registration is what it was")
      t.equal(await seenTotal(victim.box), victim.totalKib)
      // He may have files of his own, as any container of his.
      for (const pid of [first, second]) {
        const own = execaSync('cat', [`/proc/${pid}/root/proc/meminfo`], { reject: false }).stdout
        t.match(own, /^MemTotal: +\d+ kB/)
        t.notMatch(own, new RegExp(`^MemTotal: +${victim.totalKib} kB`))
      }
      t.equal((await here.procveil(['upgrade'])).exitCode, 0)
      t.equal(await seenTotal(victim.box), victim.totalKib, 'also after an upgrade')

      // No hook tells that it has ended: the next look at all containers forgets it.
      attackers[1]?.end()
      await retry(async () => {
        await here.toolkit('remount', '--all')
        if (here.registered().includes('forged.json')) throw new Error('Cannot go on: it is there')
      })
    },
  })
})
