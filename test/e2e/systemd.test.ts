/** Where our unit is installed systemd starts the service. systemd itself is not here: a script stands for it. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** Runs a shell script in a mount namespace where the default paths are in empty folders of its own. */
function isolated(here: Site, script: string) {
  const covers = ['/run', '/var/lib'].map(path => `mount -t tmpfs tmpfs ${path}`)
  // However the script ends, the service that it started ends, too: nobody else sees its directories.
  const traps = ["trap '$PROCVEIL stop' EXIT", "trap 'exit 1' TERM"]
  const text = ['set -e', ...covers, ...traps, script].join('\n')
  return execa('unshare', ['--mount', 'sh', '-c', text], {
    env: { PATH: `${here.directory}/bin:${process.env.PATH}`, PROCVEIL: EXECUTABLE },
    reject: false,
    timeout: 60_000,
    // The shell comes to it when the command that it waits for has ended.
    forceKillAfterDelay: 30_000,
  })
}

interface Systemctl {
  /** What `start` does. */
  start: string
  /** What `show` prints. */
  show?: string
}

/** A systemctl that writes down what it was told. */
function makeSystemctl(here: Site, { start, show = '' }: Systemctl): void {
  const directory = `${here.directory}/bin`
  mkdirSync(directory)
  const lines = [
    '#!/bin/sh',
    `echo "$@" >>${here.directory}/told`,
    `case $1 in start) ${start};; show) printf '${show}';; esac`,
  ]
  writeFileSync(`${directory}/systemctl`, `${lines.join('\n')}\n`)
  chmodSync(`${directory}/systemctl`, 0o755)
}

const told = (here: Site) => readFileSync(`${here.directory}/told`, 'utf8')

const UNIT = 'mkdir -p /run/systemd/system; touch /run/systemd/system/procveil.service'
const STATE = String.raw`{\"id\":\"x\",\"status\":\"creating\",\"pid\":$$,\"root\":\"/nowhere\"}`
const HOOK = `echo "${STATE}" | $PROCVEIL --log $LOG hook`
/** Without those of other tests, which are in other namespaces. */
const LIST = 'pgrep -xa procveil --ns $$ --nslist mnt'
const SERVE = 'setsid $PROCVEIL --log $LOG serve --standby </dev/null >/dev/null 2>&1 &'

function withLog(here: Site, script: string): string {
  return script.replaceAll('$LOG', here.log)
}

async function hookUnder(t: Test, systemctl: Systemctl, script: string) {
  const here = site(t)
  makeSystemctl(here, { ...systemctl, start: withLog(here, systemctl.start) })
  const result = await isolated(here, withLog(here, script))
  return { here, ...result }
}

const START = /^start --no-block procveil\.service\n/
const STARTING = 'Job=7\\nActiveState=activating\\nSubState=start-pre\\n'

t.test('a hook has systemd start the service', needs('unshare'), async t => {
  const systemctl = { start: SERVE, show: STARTING }
  const { here, stdout, stderr } = await hookUnder(t, systemctl, `${UNIT}\n${HOOK}\n${LIST}`)
  t.match(told(here), START, stderr)
  t.match(stdout, 'serve --standby')
  t.notMatch(stdout, '--ready-fd', 'and starts none itself')
})

t.test('it waits for a unit that is still starting', needs('unshare'), async t => {
  const systemctl = { start: `(sleep 4; ${SERVE}) >/dev/null 2>&1 &`, show: STARTING }
  const { here, stdout, stderr } = await hookUnder(t, systemctl, `${UNIT}\n${HOOK}\n${LIST}`)
  t.match(told(here), START, stderr)
  t.match(stdout, 'serve --standby')
  t.notMatch(stdout, '--ready-fd')
})

t.test('where that takes too long it starts none beside it', needs('unshare'), async t => {
  const startMs = performance.now()
  const systemctl = { start: 'exit 0', show: STARTING }
  const { here, stdout } = await hookUnder(t, systemctl, `${UNIT}\n${HOOK}\n${LIST}`)
  const seconds = (performance.now() - startMs) / 1000
  t.ok(seconds > 8 && seconds < 20, `after ${seconds.toFixed(1)} s`)
  t.notMatch(stdout, ' serve')
  t.match(here.readLog(), /procveil.service is still starting after 8 s; see systemctl status/)
})

for (const [name, systemctl] of Object.entries({
  'systemd refuses': { start: 'exit 1' },
  'the unit fails': { start: 'exit 0', show: 'Job=0\\nActiveState=failed\\nSubState=failed\\n' },
  'the unit fails again and again': {
    start: 'exit 0',
    show: 'Job=0\\nActiveState=activating\\nSubState=auto-restart\\n',
  },
})) {
  t.test(`where ${name} it starts it itself`, needs('unshare'), async t => {
    const { here, stdout } = await hookUnder(t, systemctl, `${UNIT}\n${HOOK}\n${LIST}`)
    t.match(told(here), START)
    t.match(stdout, 'serve --ready-fd')
  })
}

t.test('without the unit it starts it itself', needs('unshare'), async t => {
  const { here, stdout } = await hookUnder(t, { start: SERVE }, `${HOOK}\n${LIST}`)
  t.throws(() => told(here), { code: 'ENOENT' })
  t.match(stdout, 'serve --ready-fd')
})

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
