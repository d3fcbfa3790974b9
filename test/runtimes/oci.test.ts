import t from 'tap'
import { machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { processFiles, runcState } from './process.ts'

t.test('a state of runc gives pid, start time, root and annotations', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    'run/runc/box/state.json': runcState('box', 42, 9001, ['io.procveil.a=b=c', '=', 'bundle=/x']),
  })
  t.strictSame(findRunning(host), [
    {
      id: 'box',
      runtime: 'runc',
      pid: 42,
      startTicks: 9001,
      rootfs: '/bundles/box/rootfs',
      annotations: { 'io.procveil.a': 'b=c' },
    },
  ])
})

t.test('a status of crun gives the same, with the annotations of the bundle', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001),
    'run/crun/box/status': JSON.stringify({
      pid: 42,
      'process-start-time': 9001,
      'cgroup-path': '/box',
      rootfs: 'rootfs',
      bundle: '/bundles/box',
    }),
    'bundles/box/config.json': JSON.stringify({
      root: { path: 'rootfs' },
      annotations: { 'io.procveil.a': 'b', 'io.procveil.number': 7 },
    }),
  })
  t.match(findRunning(host), [{ id: 'box', runtime: 'crun', pid: 42, startTicks: 9001 }])
  t.equal(findRunning(host)[0]?.rootfs, '/bundles/box/rootfs', 'relative to the bundle')
  t.strictSame(findRunning(host)[0]?.annotations, { 'io.procveil.a': 'b' })
  host.set({ bundles: undefined })
  t.strictSame(findRunning(host)[0]?.annotations, {}, 'also when the bundle is gone')
})

const youki = (status: string) =>
  JSON.stringify({
    ociVersion: 'v1.0.2',
    id: 'box',
    status,
    pid: 42,
    bundle: '/bundles/box',
    annotations: { 'io.procveil.a': 'b' },
    useSystemd: false,
  })

t.test('a state of youki is proven by the cgroup, since it has no start time', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, '/:youki:box'),
    'run/youki/box/state.json': youki('running'),
    'bundles/box/config.json': JSON.stringify({ root: { path: '/images/box' } }),
  })
  const found = [{ id: 'box', runtime: 'youki', pid: 42, startTicks: 9001, rootfs: '/images/box' }]
  t.match(findRunning(host), found)
  t.strictSame(findRunning(host)[0]?.annotations, { 'io.procveil.a': 'b' })
  host.set(processFiles(42, 9001, '/sshd.service'))
  t.strictSame(findRunning(host), [], 'the pid is of another process')
  host.set({ 'run/youki/box/youki_config.json': '{"cgroup_path":"tenants/sshd.service"}' })
  t.match(findRunning(host), found, 'the cgroup that youki was told to make')
  host.set({ 'run/youki/box/state.json': youki('stopped') })
  t.strictSame(findRunning(host), [])
})

t.test('every root of runc is looked into, whichever runtime wrote there', async t => {
  const roots = [
    'run/runc',
    'run/containerd/runc/k8s.io',
    'run/docker/runtime-runc/moby',
    'run/user/1000/runc',
    'run/user/1000/docker/runtime-runc/moby',
  ]
  const files = roots.map((root, index) => ({
    ...processFiles(index + 2, 9001),
    [`${root}/box${index}/state.json`]: runcState(`box${index}`, index + 2, 9001),
  }))
  const host = machine(t, {
    ...Object.assign({}, ...files),
    ...processFiles(100, 9001),
    'run/containerd/runc/k8s.io/crun1/status':
      '{"pid":100,"process-start-time":9001,"rootfs":"/r","bundle":"/b"}',
  })
  const ids = findRunning(host).map(({ id }) => id)
  t.strictSame(ids, ['box0', 'box1', 'box2', 'box3', 'box4', 'crun1'])
})

t.test('a state that says nothing of use is left out', async t => {
  const whole = runcState('box', 42, 9001)
  const host = machine(t, processFiles(42, 9001))
  const useless = [
    '',
    whole.slice(0, 60),
    'null',
    '[]',
    '42',
    '\0\xff',
    '{"id":"box"}',
    '{"id":"box","init_process_pid":42}',
    '{"id":"box","init_process_pid":"x","init_process_start":9001}',
    '{"id":"box","init_process_pid":-42,"init_process_start":9001}',
    '{"id":"box","init_process_pid":42.5,"init_process_start":9001}',
    '{"id":"box","init_process_pid":0,"init_process_start":0}',
    '{"id":"box","pid":{},"bundle":[]}',
    whole.replace('"box"', '"other"'),
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  ]
  for (const text of useless) {
    host.set({ 'run/runc/box/state.json': text })
    t.strictSame(findRunning(host), [], text.slice(0, 60))
  }
  host.set({ 'run/runc/box/state.json': whole })
  t.equal(findRunning(host).length, 1, 'the whole one is found')
})

t.test('a state without a root or labels is a container nevertheless', async t => {
  const host = machine(t, processFiles(42, 9001))
  const start = '"id":"box","init_process_pid":42,"init_process_start":9001'
  for (const config of ['null', '{}', '{"rootfs":7,"labels":{}}', '{"rootfs":"r","labels":[1]}']) {
    host.set({ 'run/runc/box/state.json': `{${start},"config":${config}}` })
    t.match(findRunning(host), [{ id: 'box', rootfs: '/', annotations: {} }], config)
  }
})
