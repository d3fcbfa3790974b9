/** Containers with more to say than anybody reads: those of others are found, and what is left out is told. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

const MiB = 2 ** 20

/** State of crun, in which the container of `pid` has the annotations. */
function state(here: Site, id: string, pid: number, startTicks: number, annotations = {}): void {
  const bundle = `${here.directory}/bundles/${id}`
  const directory = `${here.directory}/crun/${id}`
  for (const path of [bundle, directory]) mkdirSync(path, { recursive: true })
  writeFileSync(`${bundle}/config.json`, JSON.stringify({ annotations }))
  const status = { pid, 'process-start-time': startTicks, bundle, rootfs: '/' }
  writeFileSync(`${directory}/status`, JSON.stringify(status))
}

/** Field 22 of its stat. */
const startTicksOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19])

/** A process with a mount namespace of its own. */
async function inNamespace(t: Test): Promise<number> {
  const child: ChildProcess = spawn('unshare', ['--mount', 'sleep', '60'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const pid = child.pid as number
  await retry(() => {
    const isApart = readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt')
    const isRunning = readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n'
    if (!isApart || !isRunning) throw new Error('Cannot go on: it is not there yet')
  })
  return pid
}

const withCrun = (here: Site) => [
  'mkdir /run/crun',
  `mount --bind ${here.directory}/crun /run/crun`,
]

t.test('annotations of megabytes', needs('unshare'), async t => {
  const here = site(t)
  const ids = ['a', 'b', 'c', 'd', 'small']
  for (const id of ids) {
    const pid = await inNamespace(t)
    const annotations = id === 'small' ? {} : { text: 'x'.repeat(3 * MiB) }
    state(here, id, pid, startTicksOf(pid), annotations)
  }
  const { stdout, stderr, exitCode } = await here.toolkitAfter(withCrun(here), 'ps', '--json')
  t.equal(stderr, '')
  t.equal(exitCode, 0)
  t.strictSame(
    JSON.parse(stdout).map(({ id }: { id: string }) => id),
    ids,
  )
})

t.test('more containers than are looked at', needs('unshare'), async t => {
  const here = site(t)
  const gone = 2 ** 22 + 1
  for (let i = 0; i < 4097; i++) state(here, `box-${i}`, gone, 1)
  const run = (...args: string[]) => here.toolkitAfter(withCrun(here), ...args)
  for (const command of ['remount', 'umount']) {
    const { stdout, stderr, exitCode } = await run(command, '--all')
    t.equal(exitCode, 1, command)
    t.match(stdout, /^0 /)
    t.match(stderr, /Cannot tell all containers in the directories of crun: there are too many/)
    t.match(stderr, new RegExp(`Cannot ${command} all containers: some may not have been found`))
  }
  t.equal((await run('ps')).exitCode, 1)
  const { stdout, exitCode } = await run('doctor')
  t.equal(exitCode, 1)
  t.match(stdout, /^problem +some containers may not have been found$/m)
  t.equal((await here.toolkit('remount', '--all')).exitCode, 0, 'where none is left out')
})
