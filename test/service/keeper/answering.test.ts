import t from 'tap'
import { Host } from '../../../src/host/host.ts'
import { Answering } from '../../../src/service/keeper/answering.ts'

const clock = { monotonicUsec: () => 0, boottimeUsec: () => 0 }

function answering({ isHung = true } = {}) {
  const warnings: string[] = []
  const killed: number[] = []
  const server = () => ({ pid: 1, hasAnswered: true, startedMs: 0 })
  const servers = {
    current: server(),
    predecessor: undefined,
    killHung: (waitedMs: number) => {
      killed.push(waitedMs)
      return isHung
    },
  }
  const log = { warning: (text: string) => warnings.push(text), info: () => {}, error: () => {} }
  const made = new Answering(new Host('/', clock), log as never, servers, { total: 0 }, () => {})
  return { made, warnings, killed, replace: () => (servers.current = server()) }
}

t.test('a server that hangs gives the next ones more time, and once', async t => {
  const { made, warnings, killed, replace } = answering()
  t.equal(made.patienceMs(), 1150)
  made.hung(1200)
  t.equal(made.patienceMs(), 2 * 1150)
  made.hung(2400)
  t.strictSame(killed, [1200, 2400], 'it is killed again while it is not gone')
  t.equal(made.patienceMs(), 2 * 1150, 'and counts as before')
  t.equal(warnings.length, 1)
  replace()
  made.hung(2400)
  t.equal(made.patienceMs(), 4 * 1150)
  t.equal(warnings.length, 2)
})

t.test('one that somebody has stopped does not', async t => {
  const { made } = answering({ isHung: false })
  made.hung(1200)
  t.equal(made.patienceMs(), 1150)
})
