import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Api } from '../../src/kubernetes/api.ts'
import { existenceOf, untilDeleted } from '../../src/kubernetes/until-deleted.ts'
import { ApiServer, NAME } from '../kit/api-server.ts'
import { isInPath, retry, skipFor } from '../kit/requirements.ts'
import { temporary } from '../kit/temporary.ts'

const needsOpenssl = skipFor(isInPath('openssl') ? undefined : 'needs openssl')

async function serve(t: Test): Promise<{ server: ApiServer; api: Api }> {
  const server = new ApiServer(temporary(t))
  t.teardown(() => server.close())
  return { server, api: await server.listen() }
}

t.test('the API server is asked', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const stateOf = async () => (await existenceOf(api, NAME, 500)).state
  t.equal(await stateOf(), 'there')
  server.mood = 'deleted'
  t.equal(await stateOf(), 'deleted')
  server.mood = 'going'
  t.equal(await stateOf(), 'deleted', 'in the foreground')
  for (const [mood, message] of [
    ['forbidden', /answered 403/],
    ['other path', /does not know the path/],
    ['other object', /another object/],
    ['silent', /Cannot ask the API server at 127.0.0.1/],
  ] as const) {
    server.mood = mood
    await t.rejects(stateOf(), { message }, mood)
  }
  server.mood = 'deleted'
  writeFileSync(join(server.credentials, 'token'), 'another')
  await t.rejects(stateOf(), { message: /answered 401/ })
})

t.test('who has not the right certificate is not believed', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  server.mood = 'deleted'
  const other = new ApiServer(temporary(t))
  await t.rejects(existenceOf({ ...api, credentials: other.credentials }, NAME), /Cannot ask/)
  t.strictSame(server.asked, [], 'nor gets the token')
})

t.test('a watch hears of a deletion that takes its own rights away', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const watched = async (change: () => void) => {
    server.mood = 'there'
    const failures: unknown[] = []
    let isDeleted = false
    const done = untilDeleted(api, NAME, error => failures.push(error)).then(() => {
      isDeleted = true
    })
    await retry(() => {
      if (server.watches === 0) throw new Error('none watches')
    })
    server.tell('MODIFIED')
    server.mood = 'forbidden'
    t.equal(isDeleted, false)
    change()
    await done
    t.strictSame(failures, [])
    await retry(() => {
      if (server.watches > 0) throw new Error('it watches still')
    })
  }
  await watched(() => server.tell('DELETED'))
  await watched(() => server.tell('MODIFIED', { deletionTimestamp: '2026-11-30T00:00:00Z' }))
})

const SPAN = { watchSeconds: 3, overlapSeconds: 2, firstLineMs: 300 }

/** Starts to wait, with watches that are short, and returns when one has begun. */
async function wait(server: ApiServer, api: Api, span = SPAN) {
  const failures: unknown[] = []
  const done = untilDeleted(api, NAME, error => failures.push(error), span)
  const untilWatched = (count: number) =>
    retry(() => {
      if (watchesOf(server) < count) throw new Error('none watches')
    })
  await untilWatched(1)
  return { done, failures, untilWatched }
}

const watchesOf = ({ asked }: ApiServer) => asked.filter(path => path.includes('watch=1')).length

t.test('the next watch begins before one ends', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const { done, failures } = await wait(server, api)
  await retry(() => {
    t.ok(server.watches > 0, 'there is always one')
    if (watchesOf(server) < 4) throw new Error('none has ended')
  })
  t.ok(server.watches > 1)
  t.equal(server.asked.length, watchesOf(server) + 1, 'nothing else is asked meanwhile')
  t.notMatch(server.asked.join(' '), 'resourceVersion', 'which may be too old')
  server.tell('DELETED')
  await done
  t.strictSame(failures, [])
})

t.test('who may not watch any more hears it by the watch before', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const { done, failures, untilWatched } = await wait(server, api)
  server.mood = 'forbidden'
  await untilWatched(2)
  server.tell('DELETED')
  await done
  t.strictSame(failures, [])
})

t.test('a watch that is cut off after a while begins anew at once', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const { done } = await wait(server, api, { ...SPAN, watchSeconds: 60 })
  await sleep(1100)
  const before = server.asked.length
  server.endWatches()
  await retry(() => {
    if (server.asked.length === before) throw new Error('it has not asked')
  })
  t.match(server.asked[before], 'watch=1')
  server.mood = 'deleted'
  server.endWatches()
  await done
})

t.test('what went before the watch began is noticed', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  server.isQuiet = true
  const { done, failures } = await wait(server, api)
  server.mood = 'deleted'
  await done
  t.equal(failures.length, 1)
})

t.test('a watch that ends begins anew', needsOpenssl, async t => {
  const { server, api } = await serve(t)
  const failures: unknown[] = []
  const done = untilDeleted(api, NAME, error => failures.push(error))
  const untilWatched = (count: number) =>
    retry(() => {
      const watches = server.asked.filter(path => path.includes('watch=1')).length
      if (watches < count || server.watches === 0) throw new Error('none watches')
    })
  await untilWatched(1)
  server.endWatches()
  await untilWatched(2)
  server.tell('ERROR')
  server.mood = 'forbidden'
  server.endWatches()
  await retry(() => {
    if (failures.length === 0) throw new Error('it has not failed')
  })
  server.mood = 'deleted'
  await done
  t.match(server.asked.at(-1), /procveil$/)
})
