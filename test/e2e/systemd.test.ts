/** Where our unit is installed systemd starts the service. systemd itself is not here: a script stands for it. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** Runs a shell script in a mount namespace where the default paths are in empty folders of its own. */
function isolated(here: Site, script: string) {
  const covers = ['/run', '/var/lib'].map(path => `mount -t tmpfs tmpfs ${path}`)
  const text = ['set -e', ...covers, script].join('\n')
  return execa('unshare', ['--mount', 'sh', '-c', text], {
    env: { PATH: `${here.directory}/bin:${process.env.PATH}`, PROCVEIL: EXECUTABLE },
    reject: false,
    timeout: 60_000,
  })
}

/** A systemctl that writes down what it was told, and does `start`. */
function makeSystemctl(here: Site, start: string): void {
  const directory = `${here.directory}/bin`
  mkdirSync(directory)
  const lines = ['#!/bin/sh', `echo "$@" >>${here.directory}/told`, start]
  writeFileSync(`${directory}/systemctl`, `${lines.join('\n')}\n`)
  chmodSync(`${directory}/systemctl`, 0o755)
}

const told = (here: Site) => readFileSync(`${here.directory}/told`, 'utf8')

const UNIT = 'mkdir -p /run/systemd/system; touch /run/systemd/system/procveil.service'
const STATE = String.raw`{\"id\":\"x\",\"status\":\"creating\",\"pid\":$$,\"root\":\"/nowhere\"}`
const HOOK = `echo "${STATE}" | $PROCVEIL --log $LOG hook`
/** Without those of other tests. */
const LIST = "pgrep -xa procveil | grep -v 'mountpoint /tmp'; $PROCVEIL stop"
const SERVE = 'setsid $PROCVEIL --log $LOG serve --standby </dev/null >/dev/null 2>&1 & sleep 1'

function withLog(here: Site, script: string): string {
  return script.replaceAll('$LOG', here.log)
}

async function hookUnder(t: Test, systemctl: string, script: string) {
  const here = site(t)
  makeSystemctl(here, withLog(here, systemctl))
  const result = await isolated(here, withLog(here, script))
  return { here, ...result }
}

t.test('a hook has systemd start the service', needs('unshare'), async t => {
  const { here, stdout, stderr } = await hookUnder(t, SERVE, `${UNIT}\n${HOOK}\n${LIST}`)
  t.equal(told(here), 'start procveil.service\n', stderr)
  t.match(stdout, 'serve --standby')
  t.notMatch(stdout, '--ready-fd', 'and starts none itself')
})

t.test(
  'without the unit, or where systemd fails, it starts it itself',
  needs('unshare'),
  async t => {
    const bare = await hookUnder(t, SERVE, `${HOOK}\n${LIST}`)
    t.throws(() => told(bare.here), { code: 'ENOENT' })
    t.match(bare.stdout, 'serve --ready-fd')
    const failing = await hookUnder(t, 'exit 1', `${UNIT}\n${HOOK}\n${LIST}`)
    t.equal(told(failing.here), 'start procveil.service\n')
    t.match(failing.stdout, 'serve --ready-fd')
  },
)

t.test('a service stands by while a keeper of a server serves', needs(), async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  const keeper = here.find('serve')
  const standby = execa(EXECUTABLE, [...here.options, 'serve', '--standby'], { reject: false })
  await retry(() => {
    if (!here.readLog().includes('stands by')) throw new Error('Cannot go on')
  })
  await here.killServers(here.servers().filter(pid => pid !== standby.pid))
  await retry(async () => {
    const { exitCode } = await here.procveil(['check-lxcfs', '--timeout', '0'])
    if (exitCode !== 0) throw new Error('Cannot go on: it does not serve yet')
  })
  t.not(here.find('serve'), keeper)
  t.equal(here.find('serve'), standby.pid, 'and takes the place of one that is gone')
  standby.kill('SIGTERM')
  t.equal((await standby).exitCode, 0)
  t.strictSame(here.hostMounts(), [])
})

t.test('a service that stands by passes the order to stop on', needs(), async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  const standby = execa(EXECUTABLE, [...here.options, 'serve', '--standby'], { reject: false })
  await retry(() => {
    if (!here.readLog().includes('stands by')) throw new Error('Cannot go on')
  })
  standby.kill('SIGTERM')
  t.equal((await standby).exitCode, 0)
  t.strictSame(here.servers(), [])
  t.strictSame(here.hostMounts(), [])
})
