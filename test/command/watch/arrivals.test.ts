import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Arrivals } from '../../../src/command/watch/arrivals.ts'

/** Looks are answered in the order of `answers`: true for done, false for not ready, or an error. */
function arrivals(...answers: (boolean | Error)[]) {
  const log: string[] = []
  const waiting: (() => void)[] = []
  const made = new Arrivals<string>(
    {
      look: async entry => {
        log.push(`look ${entry}`)
        await new Promise<void>(resolve => waiting.push(resolve))
        const answer = answers.shift() ?? true
        if (answer instanceof Error) throw answer
        return answer
      },
      over: entry => log.push(`over ${entry}`),
      failed: (entry, error) => log.push(`failed ${entry}: ${(error as Error).message}`),
    },
    [1, 1],
  )
  const answer = async () => {
    while (waiting.length === 0) await sleep(1)
    waiting.shift()?.()
    await sleep(0)
  }
  return { made, log, answer }
}

t.test('a container is looked at once, and over then', async t => {
  const { made, log, answer } = arrivals(true)
  made.happened('a', 'a')
  await answer()
  t.strictSame(log, ['look a', 'over a'])
  t.equal(made.count, 0)
})

t.test('what happens during a look calls for one more, however often', async t => {
  const { made, log, answer } = arrivals(true, true)
  made.happened('a', 'a')
  made.happened('a', 'a')
  made.happened('a', 'a')
  made.happened('b', 'b')
  await answer()
  await answer()
  await answer()
  t.strictSame(log, ['look a', 'look b', 'look a', 'over b', 'over a'])
})

t.test(
  'one that is not ready is looked at a few times, and again when something happens',
  async t => {
    const { made, log, answer } = arrivals(false, false, false, true)
    made.happened('a', 'a')
    for (let i = 0; i < 3; i++) await answer()
    await sleep(10)
    t.strictSame(log, ['look a', 'look a', 'look a'])
    t.equal(made.count, 0)
    made.happened('a', 'a')
    await answer()
    t.strictSame(log.slice(3), ['look a', 'over a'])
  },
)

t.test('one that fails is told of once', async t => {
  const { made, log, answer } = arrivals(new Error('1'), new Error('2'), new Error('3'))
  made.happened('a', 'a')
  for (let i = 0; i < 3; i++) await answer()
  await sleep(10)
  t.strictSame(log, ['look a', 'look a', 'look a', 'over a', 'failed a: 3'])
})

t.test('nothing begins after the end', async t => {
  const { made, log, answer } = arrivals(false)
  made.happened('a', 'a')
  await answer()
  made.close()
  made.happened('b', 'b')
  await sleep(10)
  t.strictSame(log, ['look a'])
})
