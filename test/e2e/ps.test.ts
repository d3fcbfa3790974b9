/** What ps, diff and doctor say of containers, hooked or not, in each state that these can be in. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { Box, type BoxOptions, started } from '../kit/box.ts'
import { MOUNTED } from '../kit/files.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

const MiB = 2 ** 20
const MEMORY = { memoryBytes: 96 * MiB, cpus: '0', quotaUsec: 50_000 }

/** Every id is once on this machine: some containers are where runc has them by default. */
const idOf = (name: string) => `ps-${name}-${process.pid}`

/** A container without our hook, where runc keeps containers unless it is told otherwise. */
async function bare(t: Test, here: Site, id: string, options: BoxOptions = {}): Promise<number> {
  const { bundle } = new Box(here, id, { ...options, stages: [] })
  t.teardown(() => execa('runc', ['delete', '--force', id], { reject: false }))
  await execa('runc', ['run', '--detach', '--bundle', bundle, id], { stdio: 'ignore' })
  return JSON.parse((await execa('runc', ['state', id])).stdout).pid
}

interface Row {
  id: string
  state: string
  bound: number
  files: number
  [field: string]: unknown
}

/** Of one container; others may run here. */
async function row(here: Site, id: string): Promise<Row | undefined> {
  const { stdout, stderr } = await here.procveil(['ps', '--json'])
  if (stdout === '') throw new Error(`Cannot list containers: ${stderr}`)
  return JSON.parse(stdout).find((each: Row) => each.id === id)
}

interface Finding {
  check: string
  level: string
  text: string
}

async function doctor(here: Site): Promise<{ findings: Finding[]; exitCode: number | undefined }> {
  const { stdout, exitCode, stderr } = await here.procveil(['doctor', '--json'])
  if (stdout === '') throw new Error(`Cannot examine: ${stderr}`)
  return { findings: JSON.parse(stdout), exitCode }
}

const levelOf = (findings: readonly Finding[], check: string) =>
  findings.find(finding => finding.check === check)?.level

const about = (findings: readonly Finding[], id: string) =>
  findings.filter(({ check, text }) => check === 'containers' && text.includes(id))

t.test('a hooked container through its life', needs('runc'), async t => {
  const here = site(t)
  const id = idOf('hooked')
  const box = await started(t, here, id, MEMORY)
  const pid = await box.pid()
  const all = { id, pid, bound: MOUNTED.length, files: MOUNTED.length, registered: true }

  t.test('all of its files are bound', async t => {
    t.match(await row(here, id), { ...all, state: 'ok', memoryLimitBytes: 96 * MiB, cpuLimit: 0.5 })
    const { stdout } = await here.procveil(['ps'])
    t.match(stdout, /^ID +NAME +RUNTIME +PID +MEMORY +CPUS +FILES +STATE$/m)
    const files = `${MOUNTED.length}/${MOUNTED.length}`
    t.match(stdout, new RegExp(`^${id} +- +- +${pid} +96 MiB +0.5 +${files} +ok$`, 'm'))
    t.notMatch(stdout, '\x1b', 'no colours in a pipe')
    const root = `--runtime-root=${here.directory}/runc`
    const { stdout: json } = await here.procveil(['ps', '--json', root])
    const known = JSON.parse(json).filter((each: Row) => each.id === id)
    t.match(known, [{ ...all, runtime: 'runc', state: 'ok' }], 'once, by whom it runs')
    const { findings } = await doctor(here)
    t.equal(levelOf(findings, 'mount'), 'ok')
    t.match(about(findings, id), [{ level: 'ok' }])
  })

  t.test('some are', async t => {
    await execa('nsenter', [`--target=${pid}`, '--mount', 'umount', '/proc/stat'])
    t.match(await row(here, id), { ...all, bound: MOUNTED.length - 1, state: 'partial' })
    t.match(about((await doctor(here)).findings, id), [{ level: 'warning' }])
    t.equal((await here.procveil(['remount', '-c', id])).exitCode, 0)
    t.match(await row(here, id), { ...all, state: 'ok' })
  })

  t.test('none is', async t => {
    await here.procveil(['umount', '-c', id])
    t.match(await row(here, id), { ...all, bound: 0, state: 'host', detached: true })
    t.match(about((await doctor(here)).findings, id), [{ level: 'ok', text: /operator/ }])
    await here.procveil(['remount', '-c', id])
  })

  t.test('nothing hangs where the service does', async t => {
    const servers = here.servers()
    for (const server of servers) process.kill(server, 'SIGSTOP')
    t.match(await row(here, id), { ...all, state: 'ok' }, 'no file of it is touched')
    const { findings, exitCode } = await doctor(here)
    for (const server of servers) process.kill(server, 'SIGCONT')
    t.equal(exitCode, 1)
    t.match(
      findings.find(({ check }) => check === 'mount'),
      { level: 'problem', text: /is stopped.*: readers in containers wait/ },
    )
  })

  t.test('the service is gone', async t => {
    await here.killServers()
    t.match(await row(here, id), { ...all, bound: 0, state: 'stale' })
    const { findings, exitCode } = await doctor(here)
    t.equal(exitCode, 1)
    t.match(
      findings.find(({ check }) => check === 'mount'),
      { level: 'problem', text: /nobody answers/ },
    )
    t.match(about(findings, id), [{ level: 'problem', text: /cannot be read/ }])
    const { stdout } = await here.procveil(['doctor'])
    t.match(stdout, /^problem .*nobody answers.*\n +-> procveil check-lxcfs: /m)
    t.equal((await here.procveil(['remount', '-c', id])).exitCode, 0)
    t.match(await row(here, id), { ...all, state: 'ok' }, 'remount mends it')
  })

  t.test('it has ended, and no hook ran', async t => {
    // The service may still be healing containers, and forgets those that have ended. What heals starts a service again.
    await retry(async () => {
      await here.killServers()
      if (here.processes().length > 0) throw new Error('Cannot go on: a process of ours is left')
    })
    process.kill(pid, 'SIGKILL')
    await retry(async () => {
      if ((await row(here, id)) !== undefined) throw new Error('Cannot go on: it still runs')
    })
    const { findings } = await doctor(here)
    t.match(
      findings.filter(({ check }) => check === 'registrations'),
      [{ level: 'ok' }, { level: 'warning', text: new RegExp(`ended containers: ${id}$`) }],
    )
  })
})

t.test('a container without a hook', needs('runc'), async t => {
  const here = site(t)
  const id = idOf('bare')
  const pid = await bare(t, here, id, MEMORY)

  t.test('it sees the host', async t => {
    t.match(await row(here, id), {
      pid,
      runtime: 'runc',
      state: 'host',
      bound: 0,
      files: MOUNTED.length,
      registered: false,
      memoryLimitBytes: 96 * MiB,
      cpuLimit: 0.5,
    })
    t.match(about((await doctor(here)).findings, id), [{ level: 'warning', text: /host's files/ }])
    t.strictSame(here.hostMounts(), [], 'no service was started for that')
  })

  t.test('diff says what it would see otherwise, without a mount', async t => {
    const [host] = /^MemTotal:.*$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? []
    const { stdout: json } = await here.procveil(['diff', '-c', id, '--json'])
    const meminfo = JSON.parse(json).find((each: { path: string }) => each.path === 'proc/meminfo')
    t.strictSame(meminfo.lines[0], { host, container: 'MemTotal:          98304 kB' })
    const { stdout, exitCode } = await here.procveil(['diff', '-c', id])
    t.equal(exitCode, 0)
    t.match(stdout, /^==> proc\/meminfo <==\nMemTotal: +\d+ kB +\| MemTotal: +98304 kB$/m)
    t.match(stdout, /^==> sys\/devices\/system\/cpu\/online <==\n\S+ +\| 0$/m)
    t.strictSame(here.hostMounts(), [])
    const none = await here.procveil(['diff'])
    t.match(none.stderr, /Cannot choose a container: give --container-id/)
    t.match((await here.procveil(['diff', '-c', 'ps-nobody'])).stderr, /"ps-nobody"/)
  })

  t.test('remount gives it files of its own', async t => {
    t.equal((await here.procveil(['remount', '-c', id])).exitCode, 0)
    t.match(await row(here, id), { state: 'ok', bound: MOUNTED.length, registered: true })
  })

  t.test("for another service they are another's", async t => {
    const other = site(t)
    t.match(await row(other, id), { state: 'stale', bound: 0, registered: false })
  })
})

t.test('ps goes on until it is interrupted', needs('runc'), async t => {
  const here = site(t)
  const id = idOf('watched')
  await bare(t, here, id)
  const watching = execa(here.executable, [...here.options, 'ps', '--watch', '--json'], {
    reject: false,
    timeout: 30_000,
  })
  const lines: string[] = []
  for await (const line of watching.iterable()) {
    lines.push(line)
    if (lines.length === 2) watching.kill('SIGINT')
  }
  t.equal((await watching).exitCode, 0)
  t.equal(lines.length, 2, 'a line each time')
  for (const line of lines) t.ok(JSON.parse(line).some((each: Row) => each.id === id))
  const command = [here.executable, ...here.options, 'ps', '--watch'].join(' ')
  const script = `{ ${command}; echo $? >&2; } | head -n 1`
  const { stdout, stderr } = await execa('sh', ['-c', script], { timeout: 30_000 })
  t.match(stdout, /^ID /)
  t.equal(stderr, '0', 'it ends when nobody reads any more')
})

t.test('colours are for terminals', needs('runc', 'script'), async t => {
  const here = site(t)
  await bare(t, here, idOf('coloured'))
  const command = [here.executable, ...here.options, 'ps'].join(' ')
  const draw = async (environment: Record<string, string>) =>
    (
      await execa('script', ['--quiet', '--command', command, '/dev/null'], {
        env: { TERM: 'xterm', NO_COLOR: '', ...environment },
        stdin: 'ignore',
      })
    ).stdout
  t.match(await draw({}), '\x1b[')
  t.notMatch(await draw({ NO_COLOR: '1' }), '\x1b[')
})
