import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { ID, ID2, processFiles } from './process.ts'

const RUN = 'run/containers/storage/overlay-containers'
const GRAPH = 'var/lib/containers/storage/overlay-containers'

const config = (manager: string, annotations: object = {}) =>
  JSON.stringify({
    root: { path: '/var/lib/containers/storage/overlay/x/merged' },
    annotations: { 'io.container.manager': manager, ...annotations },
  })

const status = (pid: number, startTicks: number) =>
  JSON.stringify({
    pid,
    'process-start-time': startTicks,
    rootfs: '/var/lib/containers/storage/overlay/x/merged',
    bundle: `/${RUN}/${ID}/userdata`,
  })

t.test('podman: the name is in the graph root, the start time in the state of crun', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, '/user.slice/without/the-id'),
    [`${RUN}/${ID}/userdata/pidfile`]: '42',
    [`${RUN}/${ID}/userdata/config.json`]: config('libpod', { 'io.procveil.a': 'b' }),
    [`${GRAPH}/containers.json`]: JSON.stringify([
      null,
      { id: ID2, names: ['other'] },
      { id: ID, names: ['web', 'alias'] },
    ]),
    [`run/crun/${ID}/status`]: status(42, 9001),
  })
  const found = {
    id: ID,
    runtime: 'podman',
    pid: 42,
    startTicks: 9001,
    rootfs: '/var/lib/containers/storage/overlay/x/merged',
    annotations: { 'io.procveil.a': 'b' },
  }
  t.strictSame(findRunning(host), [{ ...found, name: 'web' }])
  host.set({
    [`${GRAPH}/containers.json`]: '[{"id":',
    [`${GRAPH}/volatile-containers.json`]: JSON.stringify([{ id: ID, names: ['short'] }]),
  })
  t.strictSame(findRunning(host), [{ ...found, name: 'short' }], 'one with --rm')
  host.set({ [`${GRAPH}/volatile-containers.json`]: '{"id":7}' })
  t.strictSame(findRunning(host), [found], 'without a name')
  host.set({ [`run/crun/${ID}/status`]: status(42, 8000) })
  t.strictSame(findRunning(host), [], 'the pid is another process’s by now')
})

t.test('podman without the state below is proven by the cgroup, with any driver', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/machine.slice/libpod-${ID}.scope/container`),
    [`run/containers/storage/vfs-containers/${ID}/userdata/pidfile`]: '42\n',
  })
  t.match(findRunning(host), [{ id: ID, runtime: 'podman', pid: 42, rootfs: '/' }])
})

t.test('CRI-O: its own state has the start time', async t => {
  const pod = {
    'io.kubernetes.cri-o.ContainerType': 'container',
    'io.kubernetes.container.name': 'nginx',
    'io.kubernetes.pod.name': 'web-0',
    'io.kubernetes.pod.namespace': 'shop',
  }
  const state = { id: ID, status: 'running', pid: 42, initPid: 42, initStartTime: '9001' }
  const host = machine(t, {
    ...processFiles(42, 9001),
    [`${RUN}/${ID}/userdata/pidfile`]: '42',
    [`${RUN}/${ID}/userdata/config.json`]: config('cri-o', pod),
    [`${GRAPH}/${ID}/userdata/config.json`]: config('cri-o', pod),
    [`${GRAPH}/${ID}/userdata/state.json`]: JSON.stringify(state),
  })
  t.match(findRunning(host), [
    { id: ID, name: 'shop/web-0/nginx', runtime: 'cri-o', pid: 42, startTicks: 9001 },
  ])
  host.set({
    [`${GRAPH}/${ID}/userdata/config.json`]: config('cri-o', {
      ...pod,
      'io.kubernetes.cri-o.ContainerType': 'sandbox',
      'io.kubernetes.container.name': 'POD',
    }),
    [`${RUN}/${ID}`]: undefined,
  })
  t.match(findRunning(host), [{ id: ID, name: 'shop/web-0' }], 'the pod itself')
  host.set(processFiles(42, 9002))
  t.strictSame(findRunning(host), [], 'the pid is another process’s by now')
})

t.test('each container is of one of them', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/x/crio-${ID}.scope`),
    ...processFiles(43, 9002, `/x/libpod-${ID2}.scope`),
    [`${RUN}/${ID}/userdata/pidfile`]: '42',
    [`${RUN}/${ID}/userdata/config.json`]: config('cri-o'),
    [`${RUN}/${ID2}/userdata/pidfile`]: '43',
    [`${RUN}/${ID2}/userdata/config.json`]: config('libpod'),
  })
  t.match(findRunning(host), [
    { id: ID, runtime: 'cri-o' },
    { id: ID2, runtime: 'podman' },
  ])
})
