/** A server uses no more capabilities than reading takes, and the keeper that it starts has all of them again. */

import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { parseMounts } from '../../src/host/mountinfo.ts'
import { parseStatusField } from '../../src/host/proc-pid.ts'
import { type Box, type BoxOptions, box, started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE of linux/capability.h. */
const READING = (1n << 2n) | (1n << 19n)

function capabilities(file: string, set: 'CapEff' | 'CapPrm' | 'CapBnd'): bigint {
  return BigInt(`0x${parseStatusField(readFileSync(`/proc/${file}/status`, 'utf8'), set)}`)
}

/** The pid of a process that is not the one before. */
function another(here: Site, command: 'serve' | 'server', before?: number): Promise<number> {
  return retry(() => {
    const pid = here.find(command)
    if (pid === undefined || pid === before) throw new Error('Cannot go on: there is no other one')
    if (command === 'server' && capabilities(`${pid}`, 'CapEff') !== READING) {
      throw new Error(`Cannot go on: ${capabilities(`${pid}`, 'CapEff').toString(16)} are used`)
    }
    return pid
  })
}

t.test('a server lays down what it does not need', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  const own = capabilities('self', 'CapPrm')
  const server = await another(here, 'server')
  t.equal(capabilities(`${server}`, 'CapBnd'), capabilities('self', 'CapBnd'))
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(await box.cat('/proc/diskstats'), / sda /, 'the root and /dev are looked at')

  let keeper = await another(here, 'serve')
  for (const round of ['first', 'second']) {
    process.kill(keeper, 'SIGKILL')
    keeper = await another(here, 'serve', keeper)
    await another(here, 'server')
    t.equal(capabilities(`${keeper}`, 'CapEff'), own, `the keeper after the ${round} has all`)
    t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
    const { exitCode, stderr } = await here.toolkit('remount', '--container-id', 'box')
    t.equal(exitCode, 0, stderr)
  }
  const tasks = readdirSync(`/proc/${keeper}/task`)
  for (const tid of tasks) t.equal(capabilities(`${keeper}/task/${tid}`, 'CapEff'), own)
})

/** The words of a line of our unit. */
function allowedByUnit(name: 'CapabilityBoundingSet' | 'SystemCallFilter'): string[] {
  const unit = readFileSync(new URL('../../systemd/procveil.service', import.meta.url), 'utf8')
  const [, words] = unit.split(`\n${name}=`)
  return words?.split('\n')[0]?.split(' ') ?? []
}

/** Its spare mounts are made by its root's own directories, for which three capabilities are there. */
const NESTING: BoxOptions = {
  memoryBytes: 2 ** 26,
  userNamespace: true,
  withoutSys: true,
  annotations: { 'io.procveil.nestedMounts': 'on' },
}

async function startNesting(t: Test, here: Site): Promise<Box> {
  const made = box(t, here, 'nesting', NESTING)
  // Its root is no root of the host's.
  for (const directory of [here.directory, made.bundle]) chmodSync(directory, 0o755)
  await made.start()
  return made
}

async function spares(box: Box): Promise<string[]> {
  const mounts = parseMounts(readFileSync(`/proc/${await box.pid()}/mountinfo`, 'utf8'))
  return mounts
    .map(({ mountPoint }) => mountPoint)
    .filter(path => path.startsWith('/dev/.procveil'))
    .sort()
}

const SPARES = ['/dev/.procveil', '/dev/.procveil/proc']

t.test('what the unit leaves to the service is enough', needs('runc', 'setpriv'), async t => {
  const here = site(t)
  const allowed = allowedByUnit('CapabilityBoundingSet')
  const bounding = ['-all', ...allowed.map(name => name.toLowerCase().replace('cap_', '+'))].join()
  const serve = () =>
    execa(
      'setpriv',
      ['--no-new-privs', '--bounding-set', bounding, here.executable, ...here.options, 'serve'],
      { stdio: 'ignore', reject: false },
    )
  serve()
  const server = await another(here, 'server')
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(await box.cat('/proc/diskstats'), / sda /)
  const nesting = await startNesting(t, here)
  t.match(await nesting.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.strictSame(await spares(nesting), SPARES, here.readLog())

  const keeper = await another(here, 'serve')
  process.kill(keeper, 'SIGKILL')
  const next = await another(here, 'serve', keeper)
  await another(here, 'server', server)
  const status = readFileSync(`/proc/${next}/status`, 'utf8')
  t.equal(parseStatusField(status, 'NoNewPrivs'), '1')
  t.equal(capabilities(`${next}`, 'CapEff'), capabilities(`${next}`, 'CapBnd'))
  t.not(capabilities(`${next}`, 'CapEff'), capabilities('self', 'CapEff'))

  await here.killServers()
  serve()
  await retry(async () => {
    for (const each of [box, nesting]) await isOwn(each)
  })
  t.strictSame(await spares(nesting), SPARES)
  await execa('umount', ['-f', here.mountPoint], { reject: false })
  await retry(async () => {
    for (const each of [box, nesting]) await isOwn(each)
  })
  t.strictSame(await spares(nesting), SPARES, 'also after the mount was made anew')
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  t.notMatch(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/, 'taken out')
  t.strictSame(await spares(nesting), [])
})

async function isOwn(box: Box): Promise<void> {
  const text = await box.cat('/proc/meminfo')
  if (!/^MemTotal: +65536 kB/.test(text)) throw new Error(`Cannot go on: ${box.id} sees ${text}`)
}

/** What systemd-analyze syscall-filter lists as @mount, and as calls on namespaces. */
const OF_MOUNTS = [
  ...['chroot', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'mount', 'mount_setattr', 'move_mount'],
  ...['open_tree', 'pivot_root', 'umount2', 'setns', 'unshare'],
]

t.test('the unit allows the calls on mounts that are made', needs('runc', 'strace'), async t => {
  const here = site(t)
  const calls = `${here.directory}/calls`
  const strace = [
    'strace',
    '-f',
    '-qq',
    '-e',
    `trace=${OF_MOUNTS}`,
    '-e',
    'signal=none',
    '-o',
    calls,
  ]
  const [program = '', ...args] = [...strace, here.executable, ...here.options, 'serve']
  execa(program, args, { stdio: 'ignore', reject: false })
  await another(here, 'server')
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  const nesting = await startNesting(t, here)
  t.strictSame(await spares(nesting), SPARES, here.readLog())
  const server = await another(here, 'server')
  t.equal((await here.procveil(['upgrade'])).exitCode, 0)
  await another(here, 'server', server)
  await execa('umount', ['-f', here.mountPoint], { reject: false })
  await retry(async () => {
    for (const each of [box, nesting]) await isOwn(each)
  })
  t.match(here.readLog(), 'is mounted anew')
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  t.strictSame(await spares(nesting), [])
  const made = [...readFileSync(calls, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, call]) => call)
  const allowed = new Set(allowedByUnit('SystemCallFilter'))
  t.ok(made.includes('mount') && made.includes('fsopen') && made.includes('setns'), `${made}`)
  for (const call of new Set(made)) t.ok(call !== undefined && allowed.has(call), `${call}`)
})
