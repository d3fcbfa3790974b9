/** A server uses no more capabilities than reading takes, and the keeper that it starts has all of them again. */

import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { parseStatusField } from '../../src/host/proc-pid.ts'
import { started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE of linux/capability.h. */
const READING = (1n << 2n) | (1n << 19n)

function capabilities(file: string, set: 'CapEff' | 'CapPrm' | 'CapBnd'): bigint {
  return BigInt(`0x${parseStatusField(readFileSync(`/proc/${file}/status`, 'utf8'), set)}`)
}

/** The pid of a process that is not the one before. */
function another(here: Site, command: 'serve' | 'server', before?: number): Promise<number> {
  return retry(() => {
    const pid = here.find(command)
    if (pid === undefined || pid === before) throw new Error('Cannot go on: there is no other one')
    if (command === 'server' && capabilities(`${pid}`, 'CapEff') !== READING) {
      throw new Error(`Cannot go on: ${capabilities(`${pid}`, 'CapEff').toString(16)} are used`)
    }
    return pid
  })
}

t.test('a server lays down what it does not need', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  const own = capabilities('self', 'CapPrm')
  const server = await another(here, 'server')
  t.equal(capabilities(`${server}`, 'CapBnd'), capabilities('self', 'CapBnd'))
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(await box.cat('/proc/diskstats'), / sda /, 'the root and /dev are looked at')

  let keeper = await another(here, 'serve')
  for (const round of ['first', 'second']) {
    process.kill(keeper, 'SIGKILL')
    keeper = await another(here, 'serve', keeper)
    await another(here, 'server')
    t.equal(capabilities(`${keeper}`, 'CapEff'), own, `the keeper after the ${round} has all`)
    t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
    const { exitCode, stderr } = await here.toolkit('remount', '--container-id', 'box')
    t.equal(exitCode, 0, stderr)
  }
  const tasks = readdirSync(`/proc/${keeper}/task`)
  for (const tid of tasks) t.equal(capabilities(`${keeper}/task/${tid}`, 'CapEff'), own)
})

t.test('also where nobody gets new privileges, as by the unit', needs('setpriv'), async t => {
  const here = site(t)
  const serve = [here.executable, ...here.options, 'serve']
  const service = execa('setpriv', ['--no-new-privs', ...serve], { stdio: 'ignore', reject: false })
  const server = await another(here, 'server')
  const keeper = await another(here, 'serve')
  process.kill(keeper, 'SIGKILL')
  await service
  const next = await another(here, 'serve', keeper)
  await another(here, 'server', server)
  const status = readFileSync(`/proc/${next}/status`, 'utf8')
  t.equal(parseStatusField(status, 'NoNewPrivs'), '1')
  t.equal(capabilities(`${next}`, 'CapEff'), capabilities('self', 'CapPrm'))
})
