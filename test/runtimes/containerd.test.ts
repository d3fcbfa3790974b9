import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { ID, processFiles, runcState } from './process.ts'

const TASKS = 'run/containerd/io.containerd.runtime.v2.task'

const config = (annotations: Readonly<Record<string, string>>) =>
  JSON.stringify({ root: { path: 'rootfs' }, annotations })

t.test('a container of CRI is named by its pod, and proven by runc', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    [`${TASKS}/k8s.io/${ID}/init.pid`]: '42',
    [`${TASKS}/k8s.io/${ID}/shim-binary-path`]: 'io.containerd.runc.v2',
    [`${TASKS}/k8s.io/${ID}/config.json`]: config({
      'io.kubernetes.cri.container-type': 'container',
      'io.kubernetes.cri.container-name': 'nginx',
      'io.kubernetes.cri.sandbox-name': 'web-0',
      'io.kubernetes.cri.sandbox-namespace': 'shop',
    }),
  })
  t.strictSame(findRunning(host), [], 'a pid alone is no proof')
  host.set({ [`run/containerd/runc/k8s.io/${ID}/state.json`]: runcState(ID, 42, 9001) })
  t.match(findRunning(host), [
    {
      id: ID,
      name: 'shop/web-0/nginx',
      runtime: 'containerd',
      pid: 42,
      startTicks: 9001,
      rootfs: `/${TASKS}/k8s.io/${ID}/rootfs`,
      annotations: {},
    },
  ])
})

t.test('the cgroup proves it where the state below is elsewhere', async t => {
  const host = machine(t, {
    [`${TASKS}/k8s.io/${ID}/init.pid`]: '42\n',
    [`${TASKS}/k8s.io/${ID}/config.json`]: config({
      'io.kubernetes.cri.sandbox-name': 'web-0',
      'io.kubernetes.cri.sandbox-namespace': 'shop',
    }),
  })
  const cgroups = [
    `/kubepods/burstable/pod12/${ID}`,
    `/kubepods.slice/kubepods-pod12.slice/cri-containerd-${ID}.scope`,
    `/kubepods/pod12/${ID}/init.scope`,
    `/../../kubepods/pod12/${ID}`,
  ]
  for (const cgroup of cgroups) {
    host.set(processFiles(42, 9001, cgroup))
    t.match(findRunning(host), [{ id: ID, name: 'shop/web-0', startTicks: 9001 }], cgroup)
  }
  for (const cgroup of ['/', `/kubepods/pod12/x${ID}`, `/kubepods/pod12/${ID}0`]) {
    host.set(processFiles(42, 9001, cgroup))
    t.strictSame(findRunning(host), [], cgroup)
  }
})

t.test('nerdctl gives names, and a bundle that cannot be read takes nothing else away', async t => {
  const task = `${TASKS}/default/${ID}`
  const host = machine(t, {
    ...processFiles(42, 9001, `/default/${ID}`),
    [`${task}/init.pid`]: '42',
    [`${task}/config.json`]: config({ 'nerdctl/name': 'web', 'nerdctl/namespace': 'default' }),
  })
  t.match(findRunning(host), [{ id: ID, name: 'web', runtime: 'containerd' }])
  host.set({ [`${task}/config.json`]: '{"root":{"pa' })
  t.strictSame(findRunning(host), [
    { id: ID, runtime: 'containerd', pid: 42, startTicks: 9001, rootfs: '/', annotations: {} },
  ])
})

t.test('a machine of its own is no container', async t => {
  const task = `${TASKS}/k8s.io/${ID}`
  const host = machine(t, {
    ...processFiles(42, 9001, `/kubepods/pod12/${ID}`),
    [`${task}/init.pid`]: '42',
  })
  for (const shim of ['io.containerd.kata.v2', '/usr/bin/containerd-shim-runsc-v1\n']) {
    host.set({ [`${task}/shim-binary-path`]: shim })
    t.strictSame(findRunning(host), [], shim)
  }
  host.set({ [`${task}/shim-binary-path`]: '/opt/kata-days/bin/containerd-shim-runc-v2' })
  t.equal(findRunning(host).length, 1, 'only the name of the program counts')
})

t.test('what is in the namespace of docker is docker’s, wherever its containerd runs', async t => {
  for (const state of ['run/containerd', 'run/docker/containerd/daemon']) {
    const host = machine(t, {
      ...processFiles(42, 9001, `/docker/${ID}`),
      [`${state}/io.containerd.runtime.v2.task/moby/${ID}/init.pid`]: '42',
    })
    t.match(findRunning(host), [{ id: ID, runtime: 'docker' }], state)
  }
})

t.test('useless pid files are left out', async t => {
  const host = machine(t, processFiles(42, 9001, `/default/${ID}`))
  for (const pid of ['', '0', '-42', 'x', '42 43', '4.2', '99999999999999999999']) {
    host.set({ [`${TASKS}/default/${ID}/init.pid`]: pid })
    t.strictSame(findRunning(host), [], JSON.stringify(pid))
  }
})
