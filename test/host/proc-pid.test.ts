import t from 'tap'
import { parseInnermostPid, parsePids, parseStatusField } from '../../src/host/proc-pid.ts'

const STATUS = 'Name:\tsh\nPPid:\t41\nNSpid:\t4711\t12\t1\nNSpgid:\t1\n'

t.test('a field of status is found by its whole name', async t => {
  t.equal(parseStatusField(STATUS, 'Name'), 'sh', 'the first line')
  t.equal(parseStatusField(STATUS, 'PPid'), '41')
  t.equal(parseStatusField(STATUS, 'Pid'), undefined)
  t.equal(parseStatusField('PPid:\t7', 'PPid'), '7', 'without an end')
  t.equal(parseStatusField('', 'PPid'), undefined)
})

t.test('pids by namespace, the own one last', async t => {
  t.strictSame(parsePids(STATUS), [4711, 12, 1])
  t.equal(parseInnermostPid(STATUS), 1)
})

t.test('what is no list of pids is none', async t => {
  for (const line of ['', ' ', '0x10', '1e3', '-1', '1.5', '4711\tone']) {
    t.equal(parsePids(`NSpid:\t${line}\n`), undefined, JSON.stringify(line))
    t.equal(parseInnermostPid(`NSpid:\t${line}\n`), undefined)
  }
  t.equal(parseInnermostPid('NSpid:\t4194305\n'), undefined, 'beyond PID_MAX_LIMIT')
})
