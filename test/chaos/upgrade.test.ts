/** A service under load goes over to the executable on the disk, or refuses it. */

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { started } from '../kit/box.ts'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { signalAll } from '../kit/signal-all.ts'
import { size } from '../kit/size.ts'
import { disturb, isUnnoticed, signal } from './disturb.ts'
import { install, installCopy, ownSite } from './install.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

t.test('upgrades go unnoticed', options, async t => {
  const here = ownSite(t)
  const pids = new Set<number | undefined>()
  const seen = await disturb(t, here, {
    times: size({ short: 2, long: 5, full: 100 }),
    everyMs: 200,
    act: async () => {
      installCopy(here)
      const { exitCode, stderr } = await here.procveil(['upgrade'])
      if (exitCode !== 0) t.fail(stderr)
      pids.add(here.find('serve'))
      return true
    },
  })
  isUnnoticed(t, seen)
  t.equal(pids.size, 1, 'the keeper keeps its pid')
  const [keeper] = pids
  const running = readFileSync(`/proc/${keeper}/exe`)
  t.ok(running.equals(readFileSync(here.executable)))
})

t.test('a server that dies while the workers end is replaced first', options, async t => {
  const here = ownSite(t)
  // The first hook starts the service, and has no worker yet.
  await started(t, here, 'first')
  const box = await started(t, here, 'second')
  t.teardown(() => signalAll(here.workers(), 'SIGCONT'))
  const [server, stopped] = [here.find('server'), here.workers()]
  t.not(stopped.length, 0)
  signalAll(stopped, 'SIGSTOP')
  installCopy(here)
  const upgrade = here.procveil(['upgrade'])
  // The next version was judged by then, and the workers have a second.
  await sleep(500)
  t.ok(signal(here, 'server', 'SIGKILL'))
  const { exitCode, stderr } = await upgrade
  t.equal(exitCode, 0, stderr)
  const log = here.readLog()
  t.ok(log.indexOf('is replaced') > 0)
  t.ok(log.indexOf('is replaced') < log.indexOf('goes over to'), log)
  t.match(await box.cat('/proc/uptime'), /^\d/)
  t.not(here.find('server'), server)
})

t.test('an upgrade reads the configuration again', options, async t => {
  const here = ownSite(t)
  const config = `${here.directory}/config.json`
  writeFileSync(config, '{}')
  const configured = ['--config', config, ...here.options]
  const serve = execa(here.executable, [...configured, 'serve'], { reject: false })
  t.teardown(async () => {
    serve.kill('SIGTERM')
    await serve
  })
  await retry(() => {
    if (!here.readLog().includes('serves')) throw new Error('Cannot go on: it is not ready')
  })
  const box = await started(t, here, 'configured')
  const seconds = async () => Number.parseFloat(await box.cat('/proc/uptime'))
  t.ok((await seconds()) < 100)
  writeFileSync(config, '{ "uptime": "host" }')
  t.equal((await here.procveil(['upgrade'])).exitCode, 0)
  const host = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'))
  t.ok(Math.abs((await seconds()) - host) < 60)
  writeFileSync(config, '{ "uptime": "perhaps" }')
  t.equal((await here.procveil(['upgrade'])).exitCode, 0, 'one that is damaged changes nothing')
  t.match(here.readLog(), /uptime.*perhaps/)
  t.ok(Math.abs((await seconds()) - host) < 60)
})

const BROKEN: Readonly<Record<string, string>> = {
  'no executable': 'nothing that runs\n',
  'one that fails': '#!/bin/sh\necho "Cannot find libx.so" >&2\nexit 1\n',
  'one that hangs': '#!/bin/sh\nexec sleep 1000\n',
  'another program': '#!/bin/sh\necho hello\n',
}

for (const [name, text] of Object.entries(BROKEN)) {
  t.test(`an upgrade to ${name} is refused`, options, async t => {
    const here = ownSite(t)
    const seen = await disturb(t, here, {
      times: 1,
      everyMs: 100,
      act: async () => {
        const [keeper, server] = [here.find('serve'), here.find('server')]
        install(here, path => writeFileSync(path, text))
        const command = [...here.options, 'upgrade']
        const asked = await execa(EXECUTABLE, command, { reject: false })
        t.match(asked.stderr, /Cannot upgrade to .*procveil: version .* goes on; put a working/)
        t.match(asked.stderr, 'failed its self-check')
        t.equal(asked.exitCode, 1)
        // Without the command, too.
        signal(here, 'serve', 'SIGHUP')
        await retry(() => {
          if (!here.readLog().includes('this version goes on')) throw new Error('Cannot see it')
        }, 30_000)
        t.equal(here.find('serve'), keeper)
        t.equal(here.find('server'), server)
        // What runs needs no file to go on.
        signal(here, 'server', 'SIGKILL')
        await retry(() => {
          const now = here.find('server')
          if (now === undefined || now === server) throw new Error('Cannot find a new server')
        })
        installCopy(here)
        return true
      },
    })
    isUnnoticed(t, seen)
  })
}
