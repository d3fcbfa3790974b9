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

t.test('what the unit leaves to the service is enough', needs('runc', 'setpriv'), async t => {
  const here = site(t)
  const unit = readFileSync(new URL('../../systemd/procveil.service', import.meta.url), 'utf8')
  const allowed = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.toLowerCase().split(' ') ?? []
  const bounding = ['-all', ...allowed.map(name => name.replace('cap_', '+'))].join()
  const serve = () =>
    execa(
      'setpriv',
      ['--no-new-privs', '--bounding-set', bounding, here.executable, ...here.options, 'serve'],
      { stdio: 'ignore', reject: false },
    )
  serve()
  const server = await another(here, 'server')
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(await box.cat('/proc/diskstats'), / sda /)

  const keeper = await another(here, 'serve')
  process.kill(keeper, 'SIGKILL')
  const next = await another(here, 'serve', keeper)
  await another(here, 'server', server)
  const status = readFileSync(`/proc/${next}/status`, 'utf8')
  t.equal(parseStatusField(status, 'NoNewPrivs'), '1')
  t.equal(capabilities(`${next}`, 'CapEff'), capabilities(`${next}`, 'CapBnd'))
  t.not(capabilities(`${next}`, 'CapEff'), capabilities('self', 'CapEff'))

  await here.killServers()
  serve()
  await retry(async () => t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/, 'healed'))
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  t.notMatch(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/, 'taken out')
})
