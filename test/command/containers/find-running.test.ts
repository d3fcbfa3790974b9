/** What is found where a search fails: each runtime is asked by itself, and users by workers of their own. */

import t, { type Test } from 'tap'
import { type FindInput, findRunning } from '../../../src/command/containers/find-running.ts'
import { findClaims } from '../../../src/runtimes/running.ts'
import { machine } from '../../machines/machine.ts'
import { processFiles, runcState } from '../../runtimes/process.ts'

type Ask = (input: FindInput) => unknown

const USERS = ['run/user/1234']

/** Looks on a machine with a container of runc. `ask` is given what workers are. */
async function look(t: Test, ask: { root?: Ask; users?: Ask }, roots: string[] = []) {
  const host = machine(t, {
    ...processFiles(42, 9001),
    'run/runc/box/state.json': runcState('box', 42, 9001),
  })
  const asked = { root: [] as FindInput[], users: [] as FindInput[] }
  const errors: string[] = []
  const workers = (whose: 'root' | 'users') => ({
    async ask<T>(_job: string, input: unknown): Promise<T> {
      asked[whose].push(input as FindInput)
      const answer = ask[whose]?.(input as FindInput)
      if (answer !== undefined) return answer as T
      const given = input as FindInput
      return ('users' in given ? USERS : findClaims(host, given.searches)) as T
    },
  })
  const pools = { root: workers('root'), users: workers('users') }
  const log = { error: (error: unknown) => errors.push(String(error)) }
  const { running, isWhole } = await findRunning(host, pools, roots, log)
  return { ids: running.map(({ id }) => id), isWhole, errors, asked }
}

const fail = () => {
  throw new Error('it ended with SIGKILL')
}

const isAbout = (input: FindInput, runtime: string) =>
  'searches' in input && input.searches.some(each => each.runtime === runtime)

t.test('all places', async t => {
  const { ids, isWhole, errors, asked } = await look(t, {})
  t.match({ ids, isWhole, errors }, { ids: ['box'], isWhole: true, errors: [] })
  for (const input of asked.root) t.match(input, { searches: { length: 1 } })
  t.match(asked.users, [{ users: true }, { searches: [] }])
})

t.test('one runtime that fails takes no other along, and is told', async t => {
  const found = await look(t, { root: input => (isAbout(input, 'docker') ? fail() : undefined) })
  t.strictSame(found.ids, ['box'])
  t.equal(found.isWhole, false)
  t.match(found.errors, [/Cannot look for containers in the directories of docker/])
})

t.test('a place with too much is told', async t => {
  const claims = { runtime: 'docker', claims: [], isCut: true }
  const found = await look(t, { root: input => (isAbout(input, 'docker') ? [claims] : undefined) })
  t.match(found, { ids: ['box'], isWhole: false, errors: [/directories of docker.* too many/] })
})

t.test('what root was told to look at counts as root’s', async t => {
  const isGiven: Ask = input =>
    'searches' in input && input.searches[0]?.roots[0] === '/data' ? fail() : undefined
  t.match(await look(t, { root: isGiven }, ['/data']), { ids: ['box'], isWhole: false })
})

t.test('what users keep from being read is told, and is no failure', async t => {
  const found = await look(t, { users: input => ('users' in input ? undefined : fail()) })
  t.match(found, { ids: ['box'], isWhole: true, errors: [/run\/user\/1234/] })
  t.match(await look(t, { users: fail }), { ids: ['box'], isWhole: true, errors: [/run\/user/] })
})
