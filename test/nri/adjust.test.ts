import t from 'tap'
import { guardedHookOf, type Hook } from '../../src/command/hooks/entry.ts'
import {
  annotationsForHook,
  findMissed,
  hookRuntimeOf,
  optionsOf,
  refusalOf,
} from '../../src/nri/adjust.ts'
import type { Container, Pod } from '../../src/nri/messages.ts'
import { parseRules, renderRules } from '../../src/nri/rules.ts'

type Given = Readonly<Record<string, string>>

const pod = (annotations: Given = {}, changed: Partial<Pod> = {}): Pod => ({
  id: 'pod',
  namespace: 'default',
  annotations: new Map(Object.entries(annotations)),
  runtimeHandler: '',
  ...changed,
})

const container = (annotations: Given = {}, changed: Partial<Container> = {}): Container => ({
  id: 'container',
  podId: 'pod',
  isRunning: true,
  hasEnded: false,
  annotations: new Map(Object.entries(annotations)),
  hooks: [],
  ...changed,
})

const lineOf = ({ path, args }: Hook) => [path, ...args]

const ALL = { pods: 'all', exceptNamespaces: ['kube-system'] } as const
const ANNOTATED = { pods: 'annotated', exceptNamespaces: [] } as const
const ON = { 'io.procveil.enabled': 'on' }
const OFF = { 'io.procveil.enabled': 'off' }

t.test('the rules say which pods have our files', async t => {
  const one = { pod: pod(), container: container() }
  t.equal(refusalOf(one, ALL), undefined)
  t.equal(refusalOf(one, ANNOTATED), 'it is not annotated')
  const system = { ...one, pod: pod({}, { namespace: 'kube-system' }) }
  t.equal(refusalOf(system, ALL), 'its namespace is left out')
})

t.test('a pod opts in or out, and a container of it otherwise', async t => {
  for (const rules of [ALL, ANNOTATED]) {
    t.equal(refusalOf({ pod: pod(ON), container: container() }, rules), undefined)
    t.equal(refusalOf({ pod: pod(OFF), container: container() }, rules), 'its annotations say so')
    t.equal(refusalOf({ pod: pod(ON), container: container(OFF) }, rules), 'its annotations say so')
    t.equal(refusalOf({ pod: pod(OFF), container: container(ON) }, rules), undefined)
  }
  const system = pod({ 'io.procveil.enabled': 'true' }, { namespace: 'kube-system' })
  t.equal(refusalOf({ pod: system, container: container() }, ALL), undefined)
  const unclear = pod({ 'io.procveil.enabled': 'perhaps' })
  t.equal(refusalOf({ pod: unclear, container: container() }, ALL), undefined)
  t.equal(refusalOf({ pod: unclear, container: container() }, ANNOTATED), 'it is not annotated')
})

t.test('a container that has our hook, from wherever, gets no second one', async t => {
  for (const line of [
    ['/usr/libexec/procveil/procveil', 'procveil', 'hook'],
    ['/opt/procveil'],
    lineOf(guardedHookOf('/a/procveil', ['--log', '/x'])),
    lineOf(guardedHookOf('/a b/procveil', [])),
  ]) {
    const has = container({}, { hooks: [['/bin/other'], line] })
    t.equal(refusalOf({ pod: pod(ON), container: has }, ALL), 'it has our hook already')
  }
  const others = container({}, { hooks: [['/bin/x', '--log', '/var/log/procveil.log']] })
  t.equal(refusalOf({ pod: pod(), container: others }, ALL), undefined)
})

t.test('sandboxes have no /proc for us, whatever they are annotated with', async t => {
  for (const runtimeHandler of ['kata-qemu', 'runsc', 'gvisor']) {
    const one = { pod: pod(ON, { runtimeHandler }), container: container() }
    t.equal(refusalOf(one, ALL), 'its runtime is a sandbox')
  }
  const one = { pod: pod({}, { runtimeHandler: 'crun' }), container: container() }
  t.equal(refusalOf(one, ALL), undefined)
})

t.test('options of the pod reach a container that has none of its own', async t => {
  const request = {
    pod: pod({ ...ON, 'io.procveil.swap': 'off', 'io.procveil.uptime': 'host' }),
    container: container({ 'io.procveil.uptime': 'container' }),
  }
  t.strictSame(optionsOf(request), new Map([['io.procveil.swap', 'off']]))
})

t.test('a hook that is there already hears also whether the pod wants files', async t => {
  const own = { 'io.procveil.uptime': 'container' }
  const options = { 'io.procveil.swap': 'off', 'io.procveil.uptime': 'host', other: 'x' }
  const heard = (podSays: Given, containerSays: Given = own) => {
    const annotated = pod({ ...options, ...podSays })
    return Object.fromEntries(
      annotationsForHook({ pod: annotated, container: container(containerSays) }),
    )
  }
  t.strictSame(heard(OFF), { ...OFF, 'io.procveil.swap': 'off' })
  t.strictSame(heard({}), { 'io.procveil.swap': 'off' })
  t.strictSame(heard(OFF, { ...own, ...ON }), { 'io.procveil.swap': 'off' }, "the container's own")
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, at) => [`io.procveil.${at}`, '']),
  )
  t.match(heard({ ...many, ...OFF }), OFF, 'however many options there are')
  t.notHas(heard({ 'io.procveil.enabled': 'x'.repeat(8193) }), { 'io.procveil.enabled': /./ })
})

t.test('no pod makes an answer too long', async t => {
  const long = { 'io.procveil.files': 'x'.repeat(8193), 'io.procveil.swap': 'off' }
  const one = { pod: pod(long), container: container() }
  t.strictSame(optionsOf(one), new Map([['io.procveil.swap', 'off']]))
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, at) => [`io.procveil.${at}`, '']),
  )
  t.equal(optionsOf({ pod: pod(many), container: container() }).size, 64)
})

t.test('containers that no plugin saw are found with all their options', async t => {
  const pods = [
    pod({ 'io.procveil.swap': 'off', 'io.procveil.uptime': 'host' }),
    pod(OFF, { id: 'out' }),
  ]
  const containers = [
    container({ 'io.procveil.uptime': 'container' }),
    container({}, { id: 'hooked', hooks: [['/a/procveil']] }),
    container({}, { id: 'created', isRunning: false }),
    container({}, { id: 'ended', isRunning: false, hasEnded: true }),
    container({}, { id: 'opted-out', podId: 'out' }),
    container({}, { id: 'podless', podId: 'gone' }),
  ]
  const options = new Map([
    ['io.procveil.swap', 'off'],
    ['io.procveil.uptime', 'container'],
  ])
  const ofPod = new Map([
    ['io.procveil.swap', 'off'],
    ['io.procveil.uptime', 'host'],
  ])
  t.strictSame(findMissed(pods, containers, ALL), [
    { id: 'container', isRunning: true, options },
    { id: 'created', isRunning: false, options: ofPod },
  ])
  t.strictSame(findMissed(pods, containers, ANNOTATED), [])
})

t.test('only of runtimes that are known hooks are wanted', async t => {
  for (const name of ['containerd', 'v2']) t.equal(hookRuntimeOf(name), 'containerd')
  t.equal(hookRuntimeOf('cri-o'), 'crio')
  for (const name of ['docker', 'dockerd', '', 'other']) t.equal(hookRuntimeOf(name), undefined)
})

t.test('rules are read from JSON, and anything else is refused', async t => {
  t.strictSame(parseRules('{}', 'x'), {
    pods: 'annotated',
    exceptNamespaces: [],
    socket: undefined,
  })
  const rules = { pods: 'all', exceptNamespaces: ['a', 'b'], socket: '/run/other.sock' } as const
  t.strictSame(parseRules(renderRules(rules), 'x'), rules)
  t.strictSame(parseRules(renderRules({ ...rules, socket: undefined }), 'x').socket, undefined)
  for (const [text, message] of [
    ['', /^Cannot read x: it holds no JSON/],
    ['[]', /no JSON object/],
    ['{"pods":"some"}', /^Cannot read x: pods is "some"/],
    ['{"exceptNamespaces":"kube-system"}', /exceptNamespaces is "kube-system"/],
    ['{"exceptNamespaces":[1]}', /exceptNamespaces is \[1\]/],
    ['{"socket":"nri.sock"}', /socket is "nri.sock"/],
    ['{"pod":"all"}', /it has "pod", and known are pods, exceptNamespaces, socket/],
  ] as const) {
    t.throws(() => parseRules(text, 'x'), message)
  }
})
