import t from 'tap'
import {
  parseCpuMs,
  parseInnermostPid,
  parsePids,
  parseStatusField,
} from '../../src/host/proc-pid.ts'

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

t.test('the CPU time of a process is what it has used in user mode and in the kernel', async t => {
  t.equal(parseCpuMs('7 (a) b) R 1 7 7 0 -1 4194304 90 0 0 0 123 45 6 7 20 0 9 0 1234'), 1680)
})
