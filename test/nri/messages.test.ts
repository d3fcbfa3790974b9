import t from 'tap'
import {
  renderConfigured,
  renderCreated,
  renderRegister,
  renderSynchronized,
} from '../../src/nri/answers.ts'
import { parseConfigure, parseCreateContainer, parseSynchronize } from '../../src/nri/messages.ts'
import { type CreateAnswer, methodOf } from '../kit/nri-runtime.ts'

const plugin = (name: string) => methodOf('Plugin', name)

t.test('the plugin registers by its name and index', async t => {
  // Field 1 of 8 bytes, and field 2 of 2 bytes.
  t.equal(
    Buffer.from(renderRegister('procveil', '50')).toString('hex'),
    `0a08${Buffer.from('procveil').toString('hex')}1202${Buffer.from('50').toString('hex')}`,
  )
})

t.test('of all events the plugin wants only that of CreateContainer', async t => {
  t.equal(Buffer.from(renderConfigured()).toString('hex'), '1008', 'field 2 is 1 << (4 - 1)')
  const configure = plugin('Configure')
  t.strictSame(configure.responseDeserialize(Buffer.from(renderConfigured())), { events: 8 })
  const request = configure.requestSerialize({
    config: 'anything',
    runtime_name: 'cri-o',
    runtime_version: '1.34.0',
    registration_timeout: 5000,
    request_timeout: 2000,
    NRI_version: 'v0.10.0',
  })
  t.strictSame(parseConfigure(request), { name: 'cri-o', version: '1.34.0' })
})

const POD = {
  id: 'pod',
  name: 'web',
  uid: 'u',
  namespace: 'default',
  labels: { app: 'web' },
  annotations: { 'io.procveil.swap': 'off', 'kubernetes.io/config.source': 'api' },
  runtime_handler: 'crun',
  pid: 17,
}

const CONTAINER = {
  id: 'container',
  pod_sandbox_id: 'pod',
  name: 'app',
  state: 3,
  labels: { a: 'b' },
  annotations: { 'io.procveil.uptime': 'host', other: 'x', '': '' },
  args: ['sh', '-c', 'true'],
  env: ['A=B'],
  hooks: {
    prestart: [{ path: '/bin/one', args: ['one', '-x'], env: ['E=F'], timeout: { value: 5 } }],
    poststop: [{ path: '/bin/two' }, { path: '/bin/three', args: ['three'] }],
  },
  pid: 4_000_000,
  created_at: 1_764_000_000_000_000_000,
  exit_code: -1,
}

t.test('of a pod and a container what counts is read', async t => {
  const { pod, container } = parseCreateContainer(
    plugin('CreateContainer').requestSerialize({ pod: POD, container: CONTAINER }),
  )
  t.strictSame(pod, {
    id: 'pod',
    namespace: 'default',
    annotations: new Map([['io.procveil.swap', 'off']]),
    runtimeHandler: 'crun',
  })
  t.strictSame(container, {
    id: 'container',
    podId: 'pod',
    isRunning: true,
    hasEnded: false,
    annotations: new Map([['io.procveil.uptime', 'host']]),
    hooks: [['/bin/one', 'one', '-x'], ['/bin/two'], ['/bin/three', 'three']],
  })
})

t.test('what is missing is empty', async t => {
  const { pod, container } = parseCreateContainer(Buffer.alloc(0))
  t.match(pod, { id: '', namespace: '', annotations: new Map(), runtimeHandler: '' })
  t.match(container, { id: '', podId: '', isRunning: false, annotations: new Map(), hooks: [] })
})

t.test('a field of another type counts as unknown', async t => {
  // PodSandbox with the number 5 as its namespace, and a map entry with a number as its key.
  const { pod } = parseCreateContainer(
    Buffer.from('0a0d' + '2005' + '3209' + '0801' + '1205' + '6162636465', 'hex'),
  )
  t.equal(pod.namespace, '')
  t.equal(pod.annotations.size, 0)
})

t.test('what a container gets is read by the other implementation', async t => {
  const hook = {
    path: '/usr/libexec/procveil/procveil',
    args: ['procveil', '', 'hook'],
    env: ['PATH=/usr/bin'],
    timeout: 20,
  }
  const annotations = new Map([
    ['io.procveil.swap', 'off'],
    ['io.procveil.files', `ü${'x'.repeat(500)}`],
    ['__proto__', ''],
  ])
  const stages = ['createRuntime', 'poststop'] as const
  const rendered = renderCreated({ annotations, hook: { ...hook, stages } })
  const { adjust, update, evict } = plugin('CreateContainer').responseDeserialize(
    Buffer.from(rendered),
  ) as CreateAnswer
  t.equal(adjust?.annotations['io.procveil.swap'], 'off')
  t.equal(adjust?.annotations['io.procveil.files'], annotations.get('io.procveil.files'))
  t.strictSame([update, evict], [[], []])
  const expected = { ...hook, timeout: { value: 20 } }
  t.match(adjust?.hooks, { create_runtime: [expected], poststop: [expected], prestart: [] })
})

t.test('annotations alone leave the hooks as they are', async t => {
  const annotations = new Map([['io.procveil.enabled', 'off']])
  const { adjust } = plugin('CreateContainer').responseDeserialize(
    Buffer.from(renderCreated({ annotations, hook: undefined })),
  ) as CreateAnswer
  t.match(adjust, { annotations: { 'io.procveil.enabled': 'off' } })
  t.equal(adjust?.hooks, null)
})

t.test('what runs already is read, in parts', async t => {
  const synchronize = plugin('Synchronize')
  const { pods, containers, more } = parseSynchronize(
    synchronize.requestSerialize({
      pods: [POD, { ...POD, id: 'other' }],
      containers: [CONTAINER, { ...CONTAINER, state: 1 }, { ...CONTAINER, state: 4 }],
      more: true,
    }),
  )
  t.strictSame(
    [pods.map(({ id }) => id), containers.map(({ isRunning }) => isRunning), more],
    [['pod', 'other'], [true, false, false], true],
  )
  t.strictSame(
    containers.map(({ hasEnded }) => hasEnded),
    [false, false, true],
  )
  t.match(synchronize.responseDeserialize(Buffer.from(renderSynchronized(true))), { more: true })
  t.match(synchronize.responseDeserialize(Buffer.from(renderSynchronized(false))), { more: false })
})
