import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { ID, ID2, processFiles, runcState } from './process.ts'

const CONTAINERS = 'var/lib/docker/containers'

const config = (id: string, name: string, state: object) =>
  JSON.stringify({ ID: id, Name: `/${name}`, State: state, Driver: 'overlay2' })

const running = (pid: number) => ({ Running: true, Paused: false, Pid: pid })

t.test('the name is the daemon’s, the rest is what runc and containerd say', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/system.slice/docker-${ID}.scope`),
    [`${CONTAINERS}/${ID}/config.v2.json`]: config(ID, 'brave_curie', running(42)),
    [`run/docker/runtime-runc/moby/${ID}/state.json`]: runcState(ID, 42, 9001, ['io.procveil.a=b']),
    [`run/containerd/io.containerd.runtime.v2.task/moby/${ID}/init.pid`]: '42',
  })
  t.strictSame(findRunning(host), [
    {
      id: ID,
      name: 'brave_curie',
      runtime: 'docker',
      pid: 42,
      startTicks: 9001,
      rootfs: `/bundles/${ID}/rootfs`,
      annotations: { 'io.procveil.a': 'b' },
    },
  ])
  host.set(processFiles(42, 9002, `/system.slice/docker-${ID2}.scope`))
  t.strictSame(findRunning(host), [], 'the pid is another container’s by now')
})

t.test('a container that does not run is left out', async t => {
  const host = machine(t, processFiles(42, 9001, `/docker/${ID}`))
  const file = `${CONTAINERS}/${ID}/config.v2.json`
  host.set({ [file]: config(ID, 'box', running(42)) })
  t.equal(findRunning(host).length, 1)
  host.set({ [file]: config(ID, 'box', { Running: false, Pid: 42 }) })
  t.strictSame(findRunning(host), [])
  host.set({ [file]: config(ID, 'box', { Running: true, Pid: 0 }) })
  t.strictSame(findRunning(host), [])
  host.set({ [file]: config(ID2, 'box', running(42)) })
  t.strictSame(findRunning(host), [], 'a file of another container')
  host.set({ [file]: '{"State":"Running","ID":[]}' })
  t.strictSame(findRunning(host), [])
})

t.test('one of gVisor is left out', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/docker/${ID}`),
    [`${CONTAINERS}/${ID}/config.v2.json`]: config(ID, 'box', running(42)),
    [`${CONTAINERS}/${ID}/hostconfig.json`]: '{"Runtime":"runsc"}',
  })
  t.strictSame(findRunning(host), [])
  host.set({ [`${CONTAINERS}/${ID}/hostconfig.json`]: '{"Runtime":"procveil"}' })
  t.equal(findRunning(host).length, 1)
})

t.test('the data root may be elsewhere', async t => {
  const roots = {
    'user namespaces': 'var/lib/docker/100000.100000',
    'daemon.json': 'data/docker',
    'an option': 'srv/docker',
    'user namespaces with daemon.json': 'data/docker/100000.200000',
    'user namespaces with an option': 'srv/docker/100000.200000',
  }
  for (const [why, root] of Object.entries(roots)) {
    const host = machine(t, {
      ...processFiles(42, 9001, `/docker/${ID}`),
      'etc/docker/daemon.json': '{"data-root":"/data/docker"}',
      [`${root}/containers/${ID}/config.v2.json`]: config(ID, 'box', running(42)),
    })
    t.match(findRunning(host, { docker: ['/srv/docker'] }), [{ id: ID, name: 'box' }], why)
  }
})

t.test('a name that a terminal would obey is not shown', async t => {
  const file = `${CONTAINERS}/${ID}/config.v2.json`
  const host = machine(t, processFiles(42, 9001, `/docker/${ID}`))
  for (const name of ['a\u001b[2Jb', 'a b', 'a\nb', '', 'x'.repeat(513)]) {
    host.set({ [file]: config(ID, name, running(42)) })
    t.match(findRunning(host), [{ id: ID, name: undefined }], JSON.stringify(name.slice(0, 20)))
  }
})
