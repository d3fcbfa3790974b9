import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Candidate } from '../../../src/command/containers/choose.ts'
import { inTurns } from '../../../src/command/containers/in-turns.ts'
import { Registry } from '../../../src/container/registry.ts'
import { machine } from '../../machines/machine.ts'

const POOLS = { root: 'root', users: 'users' }

const running = (id: string, pid: number, ofUser?: true): Candidate => ({
  id,
  running: {
    ...{ id, pid, startTicks: 1, runtime: 'crun', rootfs: '/', annotations: {} },
    ...(ofUser ? { ofUser } : {}),
  },
})

const registered = (id: string, pid: number, ofUser?: true) => ({
  ...{ id, pid, startTicks: 1, cgroups: {}, rootfs: '/', rootMount: 1, options: {} },
  ...(ofUser ? { ofUser } : {}),
})

const registryOf = (t: Test) => new Registry(join(machine(t, {}).directory, 'procveil'))

t.test("root's containers are worked on first, whatever users call theirs", async t => {
  const users = Array.from({ length: 70 }, (_, i) => running(`000-${i}`, 100 + i, true))
  const done: string[] = []
  await inTurns(registryOf(t), [...users, running('web', 42)], POOLS, async ({ id }, workers) => {
    if (workers === 'root') await new Promise(resolve => setTimeout(resolve, 20))
    done.push(`${workers} ${id}`)
  })
  t.equal(done[0], 'root web')
  t.strictSame(
    done.slice(1),
    users.map(({ id }) => `users ${id}`),
    'with workers of their own',
  )
})

t.test('a registration says whose a container is where no runtime does', async t => {
  const registry = registryOf(t)
  registry.register(registered('ours', 42))
  registry.register(registered('theirs', 43, true))
  registry.register(registered('both', 44))
  registry.register(registered('known', 45, true))
  registry.register(registered('reused', 46))
  const candidates = [
    ...['ours', 'theirs'].map(id => ({ id })),
    running('both', 44, true),
    running('known', 45),
    running('reused', 47, true),
  ]
  const pools: Record<string, string> = {}
  await inTurns(registry, candidates, POOLS, async ({ id }, workers) => {
    pools[id] = workers
  })
  t.strictSame(pools, {
    ...{ ours: 'root', both: 'root', known: 'root' },
    ...{ theirs: 'users', reused: 'users' },
  })
})
