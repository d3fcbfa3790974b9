import t from 'tap'
import { setNumbers, topologyNumbers } from '../../src/proc/cpuinfo-topology.ts'

const X86 =
  'physical id\t: 9\nsiblings\t: 9\ncore id\t\t: 9\ncpu cores\t: 9\napicid\t\t: 9\ninitial apicid\t: 9\n'

t.test('each CPU is a socket of its own', async t => {
  t.equal(
    setNumbers(X86, topologyNumbers('openeuler', 1, 2)),
    'physical id\t: 1\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: 1\ninitial apicid\t: 1\n',
  )
})

t.test('each CPU is a core of one socket', async t => {
  t.equal(
    setNumbers(X86, topologyNumbers('single-socket', 1, 2)),
    'physical id\t: 0\nsiblings\t: 2\ncore id\t\t: 1\ncpu cores\t: 2\napicid\t\t: 1\ninitial apicid\t: 1\n',
  )
})

t.test("the host's topology stands", async t => {
  t.equal(setNumbers(X86, topologyNumbers('host', 1, 2)), X86)
})

t.test('only the number of a whole key changes', async t => {
  const numbers = new Map([['core', 5]])
  const text = 'core id\t: 1\ncpu core\t: 1\ncores\t: 1\ncore\t: 1.5\ncore : x\ncore'
  t.equal(setNumbers(text, numbers), text)
  t.equal(setNumbers('a : b\ncore\t\t\t:  12 \n', numbers), 'a : b\ncore\t\t\t:  5 \n')
})
