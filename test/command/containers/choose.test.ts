/** Which container an id stands for, where a user writes state that names somebody else's. */

import { chownSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { choose, resolve } from '../../../src/command/containers/choose.ts'
import { Registry } from '../../../src/container/registry.ts'
import { type Machine, machine } from '../../machines/machine.ts'
import { findRunning } from '../../runtimes/find-running.ts'
import { processFiles, runcState } from '../../runtimes/process.ts'

const NEEDS_ROOT = { skip: process.geteuid?.() === 0 ? false : 'only root can give files away' }

const USER = 1234
const USERS_PID = 42
const ROOTS_PID = 7

/** A machine where a user runs process 42, and says in state of its own that it is the container `web`. */
function withForged(t: Test): { host: Machine; registry: Registry } {
  const state = `run/user/${USER}/runc/web/state.json`
  const host = machine(t, {
    ...processFiles(USERS_PID, 900, '/user.slice'),
    [`proc/${USERS_PID}/uid_map`]: `0 ${USER} 1\n`,
    [state]: runcState('web', USERS_PID, 900),
    ...processFiles(ROOTS_PID, 700, '/web'),
  })
  chownSync(host.path(state), USER, USER)
  chownSync(host.path(dirname(state)), USER, USER)
  const run = join(host.directory, 'procveil')
  mkdirSync(run)
  return { host, registry: new Registry(run) }
}

const registered = (id: string, pid: number, startTicks: number) => ({
  ...{ id, pid, startTicks, cgroups: {} },
  ...{ rootfs: '/', rootMount: 1, options: {} },
})

function pidOf(host: Machine, registry: Registry, id: string): number | undefined {
  const candidate = choose(host, registry, { all: true }, findRunning(host), 'test').find(
    each => each.id === id,
  )
  return candidate && resolve(host, registry, candidate, () => {})?.pid
}

t.test(
  'a user’s container does not get the name of one that is registered',
  NEEDS_ROOT,
  async t => {
    const { host, registry } = withForged(t)
    t.equal(pidOf(host, registry, 'web'), USERS_PID, 'while nobody else has it')
    registry.register(registered('web', ROOTS_PID, 700))
    t.equal(pidOf(host, registry, 'web'), ROOTS_PID)
    t.match(choose(host, registry, { all: true }, findRunning(host), 'test'), [
      { id: 'web', running: undefined },
    ])
  },
)

t.test('root’s container gets its name back', NEEDS_ROOT, async t => {
  const { host, registry } = withForged(t)
  const [candidate] = choose(host, registry, { all: true }, findRunning(host), 'test')
  const found = candidate && resolve(host, registry, candidate, () => {})
  t.match(found, { id: 'web', pid: USERS_PID, ofUser: true })
  if (found !== undefined) registry.register(found)
  t.equal(registry.find('web')?.ofUser, true)
  host.set({ 'run/runc/web/state.json': runcState('web', ROOTS_PID, 700) })
  t.equal(pidOf(host, registry, 'web'), ROOTS_PID)
})

t.test('a pid that was used again does not inherit the name of who had it', NEEDS_ROOT, async t => {
  const { host, registry } = withForged(t)
  registry.register(registered('database', USERS_PID, 899))
  t.equal(pidOf(host, registry, 'web'), USERS_PID)
  t.equal(pidOf(host, registry, 'database'), undefined)
})

t.test('a container that a runtime left in its own unified cgroup has none there', async t => {
  const daemon = '/system.slice/docker.service'
  const annotation = `io.procveil.cgroup=${daemon}`
  const host = machine(t, {
    ...processFiles(ROOTS_PID, 700),
    [`proc/${ROOTS_PID}/cgroup`]: `2:memory:/docker/web\n0::${daemon}\n`,
    'proc/1/cgroup': `2:memory:${daemon}\n0::${daemon}\n`,
    'run/runc/web/state.json': runcState('web', ROOTS_PID, 700, [annotation]),
  })
  const run = join(host.directory, 'procveil')
  mkdirSync(run)
  const registry = new Registry(run)
  const [candidate] = choose(host, registry, { all: true }, findRunning(host), 'test')
  const refused: string[] = []
  const found = candidate && resolve(host, registry, candidate, error => refused.push(`${error}`))
  t.match(found, { id: 'web', cgroups: { memory: '/docker/web', '': '/' }, options: {} })
  t.match(
    refused,
    [/it must be the container's own or above it/],
    'nor may it be shown that of others',
  )
})
