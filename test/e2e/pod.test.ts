/** Containers that share a pid namespace, and readers from anywhere: a view depends on the file, not on the reader. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { cgroupsOf, memoryCgroupOf, withinCgroups } from '../kit/cgroups.ts'
import { needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20

/** Prints what only the container's limits decide; $0 is a root directory. */
const READ = `
head -n 1 $0/proc/meminfo
cat $0/proc/swaps $0/proc/partitions $0/sys/devices/system/cpu/online
grep -c ^processor $0/proc/cpuinfo
grep -c ^cpu $0/proc/stat`

t.test('two containers with one pid namespace', needs('runc', 'nsenter', 'unshare'), async t => {
  const here = site(t)
  const first = await started(t, here, 'pod-first', {
    memoryBytes: 64 * MiB,
    cpus: '0',
    hostPrograms: true,
  })
  const second = await started(t, here, 'pod-second', {
    memoryBytes: 512 * MiB,
    cpus: '0-1',
    hostPrograms: true,
    pidNamespace: `/proc/${await first.pid()}/ns/pid`,
  })
  t.match(await second.sh('busybox ps'), / sleep 1000\n.* sleep 1000\n/, 'each sees both')

  for (const [own, other, total, cpus] of [
    [first, second, 65536, 1],
    [second, first, 524288, 2],
  ] as const) {
    t.test(`${own.id} looks the same to all`, async t => {
      const view = await read(own.inside)
      t.match(view, new RegExp(`^MemTotal: +${total} kB\n`))
      t.match(view, new RegExp(`\n${cpus}\n${cpus + 1}$`), 'CPUs in cpuinfo and stat')

      const pid = await own.pid()
      const root = `/proc/${namespacePids(pid).at(-1)}/root`
      const roundabout = await read(other.inside, root)
      t.equal(roundabout, view, 'to the other container through /proc/PID/root')
      t.equal(await read([], `/proc/${pid}/root`), view, 'to the host through /proc/PID/root')

      const enter = ['nsenter', `--target=${pid}`, '--mount']
      t.equal(await read(enter), view, 'to a process of the host')
      t.equal(await read([...enter, '--pid']), view, 'to one in its pid namespace')
      t.equal(await read([...enter, '--pid', '--cgroup']), view, 'and in its cgroup namespace')
      const apart = ['unshare', '--pid', '--fork']
      t.equal(await read([...apart, ...enter]), view, 'to one in a pid namespace of its own')

      for (const [where, directories] of [
        ['the cgroup of the other', cgroupsOf(await other.pid())],
        ['a cgroup beside it', [smallCgroup(t, dirname(memoryCgroupOf(pid)))]],
        ['a cgroup below it', [smallCgroup(t, memoryCgroupOf(pid))]],
      ] as const) {
        const moved = withinCgroups(directories)
        t.equal(await read([...moved, ...enter]), view, `to a process in ${where}`)
        t.equal(await read([...moved, ...enter, '--pid']), view, `to one of the pod in ${where}`)
      }
    })
  }

  t.test('a limit that changes is one container’s alone', async t => {
    await first.update('--memory', '96M')
    t.match(await first.cat('/proc/meminfo'), /^MemTotal: +98304 kB/)
    t.match(await second.cat('/proc/meminfo'), /^MemTotal: +524288 kB/)
  })
})

/** fs/fuse/dev.c: the pid of a reader is 0 when the pid namespace of the one who mounted does not contain it. */
t.test('readers that the server cannot name', needs('runc', 'nsenter', 'unshare'), async t => {
  const here = site(t)
  const outer = execa(
    'unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', 'sleep', '99'],
    {
      reject: false,
    },
  )
  t.teardown(async () => {
    outer.kill('SIGKILL')
    await outer
  })
  const init = await retry(() => childOf(outer.pid ?? 0))
  const nested = await started(t, here, 'pod-nested', {
    memoryBytes: 64 * MiB,
    cpus: '0',
    within: ['nsenter', `--target=${init}`, '--pid', '--mount'],
  })
  const view = await read(nested.inside)
  t.match(view, /^MemTotal: +65536 kB\n/)

  const pid = await findPid([await nested.pid(), 1])
  t.equal(await read([], `/proc/${pid}/root`), view, 'through /proc/PID/root')
  const enter = ['nsenter', `--target=${pid}`, '--mount']
  t.equal(await read(enter), view, 'in its mount namespace')
  t.equal(await read(['unshare', '--pid', '--fork', ...enter]), view, 'in another pid namespace')

  const top = `/proc/${init}/root${here.mountPoint}`
  t.equal(firstLine(`${top}/proc/meminfo`), firstLine('/proc/meminfo'), 'at the top, as the host')
  t.throws(() => readdirSync(`${top}/containers`), { code: 'EACCES' }, 'nor who is there')
})

async function read(within: readonly string[], root = ''): Promise<string> {
  const [program = '', ...args] = [...within, 'sh', '-c', READ, root]
  return (await execa(program, args, { timeout: 60_000, stdin: 'ignore' })).stdout
}

/** Its pid in each namespace from ours to its own. */
function namespacePids(pid: number): number[] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t').map(Number) ?? []
}

/** Our pid of the process that has these in the namespaces below. */
function findPid(below: readonly number[]): number {
  const found = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .find(pid => existsSync(`/proc/${pid}`) && namespacePids(pid).slice(1).join() === below.join())
  if (found === undefined) throw new Error(`Cannot find the process ${below.join(' ')}`)
  return found
}

/** The first process of a new pid namespace, once its program runs. */
function childOf(pid: number): number {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  if (readFileSync(`/proc/${child}/comm`, 'utf8') === 'sleep\n') return Number(child)
  throw new Error(`Cannot go on: ${pid} has not started it`)
}

/** A cgroup of 32 MiB, gone with the test. */
function smallCgroup(t: Test, parent: string): string {
  const directory = `${parent}/procveil-reader-${process.pid}`
  mkdirSync(directory)
  t.teardown(() => retry(() => rmdirSync(directory)))
  for (const name of ['memory.limit_in_bytes', 'memory.max']) {
    const file = `${directory}/${name}`
    if (existsSync(file)) writeFileSync(file, String(32 * MiB))
  }
  return directory
}

const firstLine = (path: string) => readFileSync(path, 'utf8').split('\n')[0]
