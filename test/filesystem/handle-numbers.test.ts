import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HandleNumbers } from '../../src/filesystem/handle-numbers.ts'

function runDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-handles-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

t.test('no number is given twice, whatever the time of day does', async t => {
  const directory = runDirectory(t)
  const now = Date.UTC(2100, 0)
  let highest = 0
  for (const nowMs of [now, now, now - 1000, 0, now + 1e6]) {
    const numbers = new HandleNumbers(directory, nowMs, 0)
    t.ok(numbers.first > highest, `at ${nowMs}`)
    const taken = Array.from({ length: 1000 }, () => numbers.take())
    t.equal(taken[0], numbers.first)
    highest = Math.max(...taken)
    t.ok(Number.isSafeInteger(highest))
  }
})

t.test('a server that has given many numbers has reserved them', async t => {
  const directory = runDirectory(t)
  const numbers = new HandleNumbers(directory, 1000, 0)
  let last = 0
  for (let i = 0; i < 2 ** 20 + 1; i++) last = numbers.take()
  t.ok(new HandleNumbers(directory, 1000, 0).first > last)
})

t.test('texts of a version that reserved nothing tell what it gave', async t => {
  t.equal(new HandleNumbers(runDirectory(t), 0, 4711).first, 4712)
})

t.test('without a directory the time of day has to do', async t => {
  const numbers = new HandleNumbers(join(runDirectory(t), 'none'), 3, 0)
  t.strictSame([numbers.take(), numbers.take()], [3 * 2048, 3 * 2048 + 1])
})

t.test('numbers go on where a file or the clock is damaged', async t => {
  const directory = runDirectory(t)
  for (const damaged of [2 ** 53 - 1, 2 ** 53 - 2 ** 47, -5, 0.5]) {
    writeFileSync(join(directory, 'handles'), `${damaged}\n`)
    const numbers = new HandleNumbers(directory, 1000, damaged)
    t.strictSame([numbers.take(), numbers.take()], [1000 * 2048, 1000 * 2048 + 1])
  }
  rmSync(join(directory, 'handles'))
  const late = new HandleNumbers(directory, Date.UTC(3000, 0), 7)
  t.strictSame([late.take(), late.take()], [8, 9])
})

t.test('what is believed and is highest leaves room for more', async t => {
  const directory = runDirectory(t)
  const most = 2 ** 53 - 2 ** 48
  writeFileSync(join(directory, 'handles'), `${most}\n`)
  const numbers = new HandleNumbers(directory, 1000, 0)
  t.strictSame([numbers.take(), numbers.take()], [most, most + 1])
})
