/** What containers and users chose goes to terminals and logs in characters that steer nothing. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { describe, Log } from '../../src/sys/log.ts'
import { printable, printableJson, printableLines } from '../../src/sys/printable.ts'

const EVIL = 'a\x1b[2Jb\r\nprocveil: forged\u009b\u202e\u2028'

t.test('a text is one line that does not steer the terminal', async t => {
  t.equal(printable('a\x1b[2Jb\nc\u009b\u202e\u2028\x7f'), 'a?[2Jb?c????')
  t.equal(printable('größe-日本'), 'größe-日本')
  t.equal(printableLines('a\tb\nc\r\x1b'), 'a\tb\nc??')
})

t.test('JSON says the same', async t => {
  const value = { [EVIL]: [EVIL, '\u{e0001}', 'größe'] }
  for (const indent of [0, 2]) {
    const text = printableJson(value, indent)
    t.notMatch(text, /[^\P{C}\n]/u)
    t.strictSame(JSON.parse(text), value)
  }
})

t.test('a message is one line, whatever it is made of', async t => {
  const error = new Error(`Cannot use ${EVIL}`, { cause: new Error(EVIL.repeat(10_000)) })
  t.notMatch(describe(error), /\p{C}/u)
  t.ok(describe(error).length < 10_000, 'of bounded length')
  const directory = mkdtempSync(join(tmpdir(), 'procveil-log-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  new Log('test', join(directory, 'log')).info(`bound files into ${EVIL}`)
  const lines = readFileSync(join(directory, 'log'), 'utf8')
  t.match(lines, /^\S+ test\[\d+\] info: bound files into a\?\[2Jb\?\?procveil: forged\?\?\?\n$/)
})

t.test('no other file writes messages', async t => {
  const src = fileURLToPath(new URL('../../src', import.meta.url))
  const own = ['sys/log.ts', 'command/terminal/tally.ts', 'command/program.ts']
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || own.includes(file)) continue
    const text = readFileSync(join(src, file), 'utf8')
    t.notMatch(text, /stderr\.write|\bconsole\.|write(File)?Sync\(2\b/, file)
  }
})
