import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { ID, ID2, processFiles, runcState } from './process.ts'

const never = () => {
  throw new Error('nobody is to be asked')
}

const config = (id: string, pid: number, startTicks: number) =>
  JSON.stringify({
    CommonConfig: { id, Name: 'web', BaseFs: '/var/lib/isulad/storage/overlay/x/merged' },
    Image: 'busybox',
    State: { Running: true, Pid: pid, PPid: 41, StartTime: startTicks, PStartTime: 1 },
  })

t.test('lcr: pid and start time are in one file, the name in the graph directory', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    [`run/isulad/lcr/${ID}/pid.file`]: '42 9001 41 9000',
    [`var/lib/isulad/engines/lcr/${ID}/config.v2.json`]: config(ID, 42, 9001),
  })
  const found = { id: ID, runtime: 'isulad', pid: 42, startTicks: 9001, annotations: {} }
  const rootfs = '/var/lib/isulad/storage/overlay/x/merged'
  t.strictSame(findRunning(host, {}, never), [{ ...found, name: 'web', rootfs }])
  host.set({ 'var/lib/isulad': undefined })
  t.strictSame(findRunning(host, {}, never), [{ ...found, rootfs: '/' }], 'the pid file alone')
  host.set(processFiles(42, 9002, `/isulad/${ID2}`))
  t.strictSame(findRunning(host, {}, never), [], 'the pid is another process’s by now')
})

t.test('the graph directory alone is enough', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    [`var/lib/isulad/engines/runc/${ID}/config.v2.json`]: config(ID, 42, 9001),
  })
  t.match(findRunning(host, {}, never), [{ id: ID, name: 'web', runtime: 'isulad' }])
  host.set({ [`var/lib/isulad/engines/runc/${ID}/config.v2.json`]: config(ID, 0, 0) })
  t.strictSame(findRunning(host, {}, never), [], 'one that has stopped')
})

t.test('the shim of runc: its root below the container’s directory has the start', async t => {
  const directory = `run/isulad/runc/${ID}`
  const host = machine(t, {
    ...processFiles(42, 9001),
    [`${directory}/pid`]: '42',
    [`${directory}/shim-pid`]: '41',
    [`${directory}/runc/${ID}/state.json`]: runcState(ID, 42, 9001, ['io.procveil.a=b']),
  })
  t.match(findRunning(host, {}, never), [
    {
      id: ID,
      runtime: 'isulad',
      rootfs: `/bundles/${ID}/rootfs`,
      annotations: { 'io.procveil.a': 'b' },
    },
  ])
  host.set({ [`${directory}/runc`]: undefined })
  t.strictSame(findRunning(host, {}, never), [], 'a pid alone is no proof')
  host.set(processFiles(42, 9001, `/isulad/${ID}`))
  t.equal(findRunning(host, {}, never).length, 1, 'the cgroup is one')
})

t.test('directories that daemon.json names are looked into', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    'etc/isulad/daemon.json': '{"graph":"/data/isulad","state":"/data/state"}',
    [`data/state/lcr/${ID}/pid.file`]: '42 9001 41 9000',
    [`data/isulad/engines/lcr/${ID}/config.v2.json`]: config(ID, 42, 9001),
  })
  t.match(findRunning(host, {}, never), [{ id: ID, name: 'web' }])
})

t.test('a daemon whose directories are unknown is asked', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/isulad/${ID}`),
    ...processFiles(43, 9002, '/sshd.service'),
    'run/isulad.sock': '',
  })
  let asked = 0
  const answer = (text: string | undefined) => () => {
    asked++
    return text
  }
  const lines = `${ID} 42\n${ID2} 43\n${ID2} -\nID PID\n../x 42\n`
  t.match(findRunning(host, {}, answer(lines)), [{ id: ID, runtime: 'isulad', pid: 42 }])
  t.equal(findRunning(host, {}, answer(lines)).length, 1, 'what the cgroup does not prove is not')
  t.strictSame(findRunning(host, {}, answer(undefined)), [], 'no answer')
  t.strictSame(findRunning(host, {}, answer('\0garbage\n')), [])
  t.equal(asked, 4)
  host.set({ 'run/isulad.sock': undefined })
  t.strictSame(findRunning(host, {}, never), [], 'none runs')
})

t.test('a daemon whose directories are known is not asked', async t => {
  const host = machine(t, {
    'run/isulad.sock': '',
    [`run/isulad/lcr/${ID}/pid.file`]: '42 9001 41 9000',
  })
  t.strictSame(findRunning(host, {}, never), [], 'the container has ended')
})
