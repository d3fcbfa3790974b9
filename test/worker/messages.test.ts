import t from 'tap'
import {
  isWorkerFailure,
  JobError,
  LATE,
  NO_WORKER,
  parseQuestion,
} from '../../src/worker/messages.ts'

t.test('a question is about a job that may be asked for', async t => {
  const line = JSON.stringify({ job: 'devices', input: { pid: 1 } })
  t.match(parseQuestion(line, ['devices']), { job: 'devices', input: { pid: 1 } })
  t.equal(parseQuestion(line, ['devices']).untilMs, undefined)
  const until = JSON.stringify({ job: 'hook', input: 1, untilMs: 5 })
  t.strictSame(parseQuestion(until, ['hook']), {
    ...{ job: 'hook', input: 1, untilMs: 5 },
    namespaces: undefined,
  })
  const namespaces = ['mnt:[1]', 'pid:[2]']
  const named = JSON.stringify({ job: 'hook', input: 1, namespaces })
  t.strictSame(parseQuestion(named, ['hook']).namespaces, namespaces)
  const wrong = JSON.stringify({ job: 'hook', input: 1, namespaces: 'mnt' })
  t.equal(parseQuestion(wrong, ['hook']).namespaces, undefined)
  t.throws(() => parseQuestion(line, ['hook']), /must be about hook/)
  for (const bad of ['', '{', 'null', '[]', '3', '{"job":"hook"}', '{"job":["hook"],"input":1}']) {
    t.throws(() => parseQuestion(bad, ['hook']), SyntaxError, bad)
  }
})

t.test('a worker that failed is told from a job that failed', async t => {
  t.ok(isWorkerFailure(new JobError('late', LATE)))
  t.ok(isWorkerFailure(new JobError('dead', NO_WORKER)))
  t.notOk(isWorkerFailure(new JobError('no such file', 'ENOENT')))
  t.notOk(isWorkerFailure(new Error('other')))
})
