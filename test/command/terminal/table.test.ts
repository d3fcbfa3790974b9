import t from 'tap'
import { fit, isColourful, renderTable } from '../../../src/command/terminal/table.ts'

const COLUMNS = [{ title: 'NAME' }, { title: 'PID', right: true }, { title: 'STATE' }]

t.test('columns are as wide as their widest text', async t => {
  const rows = [
    [{ text: 'a' }, { text: '12345' }, { text: 'ok' }],
    [{ text: 'longer' }, { text: '7' }, { text: 'stale' }],
  ]
  t.equal(
    renderTable(COLUMNS, rows, false),
    'NAME      PID  STATE\na       12345  ok\nlonger      7  stale\n',
  )
  t.equal(renderTable(COLUMNS, [], false), 'NAME  PID  STATE\n', 'titles stand alone')
})

t.test('colours take no columns', async t => {
  const row = [
    { text: 'a', colour: 'red' as const },
    { text: '1' },
    { text: 'ok', colour: 'green' as const },
  ]
  const text = renderTable(COLUMNS, [row], true)
  t.match(text, '\x1b[31ma\x1b[0m')
  t.equal(
    [31, 32, 1, 0].reduce((left, code) => left.replaceAll(`\x1b[${code}m`, ''), text),
    renderTable(COLUMNS, [row], false),
    'the rest is as without them',
  )
})

t.test('colours are for terminals whose users want them', async t => {
  const terminal = { isTTY: true }
  t.equal(isColourful(terminal, { TERM: 'xterm' }), true)
  t.equal(isColourful(terminal, { NO_COLOR: '' }), true, 'an empty NO_COLOR says nothing')
  t.equal(isColourful(terminal, { NO_COLOR: '0' }), false, 'any other does')
  t.equal(isColourful(terminal, { TERM: 'dumb' }), false)
  t.equal(isColourful({ isTTY: undefined }, {}), false, 'a pipe')
})

t.test("a container's name does not steer the terminal", async t => {
  const text = renderTable([{ title: 'N' }], [[{ text: 'x\ny' }]], false)
  t.equal(text, 'N\nx?y\n')
})

t.test('a text that is too long says so', async t => {
  t.equal(fit('abc', 5), 'abc  ')
  t.equal(fit('abcde', 5), 'abcde')
  t.equal(fit('abcdef', 5), 'abcd…')
  t.equal(fit('abc', 1), '…')
})
