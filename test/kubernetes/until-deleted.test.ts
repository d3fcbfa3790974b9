import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
