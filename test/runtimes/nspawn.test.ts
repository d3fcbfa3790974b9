import { symlinkSync } from 'node:fs'
import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { processFiles } from './process.ts'

const MACHINES = 'run/systemd/machines'

const file = (lines: Readonly<Record<string, string>> = {}) => {
  const fields = {
    NAME: 'web',
    SCOPE: 'machine-web.scope',
    SERVICE: 'systemd-nspawn',
    ROOT: '/var/lib/machines/web',
    LEADER: '42',
    CLASS: 'container',
    REALTIME: '1700000000000000',
    MONOTONIC: '90000000',
    ...lines,
  }
  const text = Object.entries(fields).map(([key, value]) => `${key}=${value}\n`)
  return `# This is private data. Do not parse.\n${text.join('')}`
}

t.test('a machine of nspawn is found, and proven by its unit', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, '/machine.slice/machine-web.scope/payload/init.scope'),
    [`${MACHINES}/web`]: file(),
  })
  symlinkSync('web', host.path(`${MACHINES}/unit:machine-web.scope`))
  const found = {
    id: 'web',
    runtime: 'nspawn',
    pid: 42,
    startTicks: 9001,
    rootfs: '/var/lib/machines/web',
    annotations: {},
  }
  t.strictSame(findRunning(host), [found])
  host.set(processFiles(42, 9002, '/system.slice/sshd.service'))
  t.strictSame(findRunning(host), [], 'the pid is another process’s by now')
  host.set(processFiles(42, 9001, '/system.slice/systemd-nspawn@web.service/payload'))
  host.set({ [`${MACHINES}/web`]: file({ SCOPE: 'systemd-nspawn@web.service' }) })
  t.strictSame(findRunning(host), [found], 'with --keep-unit')
})

t.test('names and roots are read as systemd quotes them', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, '/machine.slice/machine-web\\x2d1.scope'),
    [`${MACHINES}/web-1`]: file({
      NAME: 'web-1',
      SCOPE: '"machine-web\\\\x2d1.scope"',
      ROOT: '/srv/my\\x20web',
    }),
  })
  t.match(findRunning(host), [{ id: 'web-1', rootfs: '/srv/my web' }])
})

t.test('another service keeps its own word', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, '/machine.slice/machine-web.scope'),
    [`${MACHINES}/web`]: file({ SERVICE: 'libvirt-lxc' }),
  })
  t.match(findRunning(host), [{ id: 'web', runtime: 'libvirt-lxc' }])
})

t.test('virtual machines, and files of which half is there, are left out', async t => {
  const host = machine(t, processFiles(42, 9001, '/machine.slice/machine-web.scope'))
  const useless = [
    file({ CLASS: 'vm' }),
    file({ LEADER: '' }),
    file({ SCOPE: '' }),
    file({ NAME: 'other' }),
    file().slice(0, 70),
    '',
    '=\n\0\n',
  ]
  for (const text of useless) {
    host.set({ [`${MACHINES}/web`]: text })
    t.strictSame(findRunning(host), [], JSON.stringify(text).slice(0, 300))
  }
  host.set({ [`${MACHINES}/web`]: file() })
  t.equal(findRunning(host).length, 1, 'the whole one is found')
})
