import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Registry } from '../../src/container/registry.ts'
import { RegistryIndex } from '../../src/container/registry-index.ts'
import type { Host } from '../../src/host/host.ts'
import { findCaller } from '../../src/view/caller.ts'
import { CallerViews } from '../../src/view/caller-views.ts'
import { PidNamespaces } from '../../src/view/pid-namespaces.ts'
import { machine } from '../machines/machine.ts'

const process = (pid: number, parent: number, pids: string, cgroup: string) => ({
  [`proc/${pid}/cgroup`]: cgroup,
  [`proc/${pid}/status`]: `Name:\tx\nPPid:\t${parent}\nNSpid:\t${pids}\nSeccomp:\t0\n`,
  [`proc/${pid}/stat`]: `${pid} (x) S ${parent} ${'0 '.repeat(17)}${pid * 10} 0\n`,
})

function find(host: Host, index: RegistryIndex, namespaces: PidNamespaces, pid: number) {
  const cgroups = host.read(`proc/${pid}/cgroup`)
  return findCaller(host, index, namespaces, { pid, cgroups })
}

t.test('whose view a caller sees', async t => {
  const host = machine(t, {
    ...process(100, 1, '100', '0::/\n'),
    ...process(200, 100, '200\t1', '0::/ctr/init\n'),
    ...process(201, 200, '201\t7', '0::/ctr/service\n'),
    ...process(202, 100, '202\t9', '0::/ctr/entered\n'),
    ...process(300, 1, '300', '0::/pod/box/inner\n'),
    ...process(301, 1, '301', '0::/pod/boxer\n'),
  })
  mkdirSync(join(host.directory, 'run'))
  const registry = new Registry(join(host.directory, 'run'))
  const register = (id: string, slot: number, path: string) =>
    registry.register({
      id,
      slot,
      pid: 1,
      startTicks: 1,
      cgroups: { '': path },
      rootfs: '/',
      options: {},
      rootMount: 7,
    })
  register('pod', 1, '/pod')
  register('box', 2, '/pod/box')
  const directory = new RegistryIndex(registry, () => {})
  const namespaces = new PidNamespaces(host)

  t.strictSame(
    find(host, directory, namespaces, 300),
    { slot: 2 },
    'the nearest registered container',
  )
  t.strictSame(
    find(host, directory, namespaces, 301),
    { slot: 1 },
    'a name that only begins alike is none',
  )
  t.match(find(host, directory, namespaces, 201), {
    pid: 200,
    startTicks: 2000,
    cgroups: { '': '/ctr/init' },
  })
  t.match(find(host, directory, namespaces, 200), { pid: 200 }, 'the init itself')
  t.match(find(host, directory, namespaces, 202), {
    pid: undefined,
    cgroups: { '': '/ctr/entered' },
  })
  t.match(find(host, directory, namespaces, 100), { pid: undefined, cgroups: { '': '/' } })
})

t.test('who makes many namespaces costs nobody else a view', async t => {
  const views = new CallerViews<string>()
  const gone: (string | undefined)[] = []
  for (const key of ['a', 'b', 'c']) gone.push(views.add(key, [key], key))
  for (let i = 0; i < 200; i++) gone.push(views.add(`x${i}`, ['x', `init ${i}`], `x${i}`))
  t.equal(gone.filter(Boolean).length, 203 - 64)
  for (const key of ['a', 'b', 'c', 'x199']) t.equal(views.get(key), key)
  t.equal(views.get('x0'), undefined)
})

t.test('nor does a container that shares the upper part of its path with others', async t => {
  const views = new CallerViews<string>()
  const pods = Array.from({ length: 50 }, (_, i) => `pod ${i}`)
  for (const pod of pods) views.add(pod, ['/kubepods', pod], pod)
  for (let i = 0; i < 200; i++) views.add(`x${i}`, ['/kubepods', 'x'], `x${i}`)
  views.add('user', ['/user', 'user'], 'user')
  for (const key of [...pods, 'user', 'x199']) t.equal(views.get(key), key)
})

t.test('the new view is never the one that goes', async t => {
  const views = new CallerViews<string>()
  for (let i = 0; i < 200; i++) {
    views.add(`${i}`, [`${i % 7}`, `${i % 11}`], `${i}`)
    t.equal(views.get(`${i}`), `${i}`)
  }
})

t.test('whose a caller is, it cannot choose', async t => {
  const user = '0::/user.slice/user-1000.slice'
  const host = machine(t, {
    ...process(200, 100, '200\t1', '0::/system.slice/docker-a.scope\n'),
    ...process(210, 200, '210\t5\t1', '0::/system.slice/docker-a.scope/own/1\n'),
    ...process(220, 210, '220\t6\t2\t1', '0::/elsewhere/2\n'),
    ...process(300, 100, '300\t1', `${user}/a.scope\n`),
    ...process(301, 100, '301\t1', `${user}/user@1000.service/b/c\n`),
    ...process(302, 100, '302', `${user}/user@1000.service/d\n`),
    ...process(400, 100, '400\t1', '0::/kubepods/burstable/pod1/a\n'),
  })
  mkdirSync(join(host.directory, 'run'))
  const index = new RegistryIndex(new Registry(join(host.directory, 'run')), () => {})
  const owners = (pid: number) => {
    const caller = find(host, index, new PidNamespaces(host), pid)
    return 'owners' in caller ? caller.owners() : undefined
  }
  for (const pid of [200, 210, 220]) {
    t.strictSame(owners(pid), ['/system.slice/docker-a.scope', 'init 200'], 'and all below')
  }
  const shared = '/user.slice/user-1000.slice'
  t.strictSame([300, 301].map(owners), [
    [shared, 'init 300'],
    [shared, 'init 301'],
  ])
  t.strictSame(owners(302), [shared])
  t.strictSame(owners(400)?.[1], 'init 400', 'pods of one class are told apart')
})

t.test('a process that entered a pid namespace belongs to its init', async t => {
  const host = machine(t, {
    ...process(200, 100, '200\t1', '0::/ctr\n'),
    ...process(202, 100, '202\t9', '0::/elsewhere\n'),
    ...process(300, 100, '300\t1', '0::/other\n'),
    ...process(400, 100, '400\t5', '0::/orphaned\n'),
  })
  for (const [pid, namespace] of [
    [200, 1],
    [202, 1],
    [300, 2],
    [400, 3],
  ]) {
    mkdirSync(join(host.directory, `proc/${pid}/ns`))
    symlinkSync(`pid:[${namespace}]`, join(host.directory, `proc/${pid}/ns/pid`))
  }
  const namespaces = new PidNamespaces(host)
  t.equal(namespaces.findInit(202)?.pid, 200)
  t.equal(namespaces.findInit(400), undefined, 'one without an init')
  host.set(process(401, 100, '401\t1', '0::/late\n'))
  mkdirSync(join(host.directory, 'proc/401/ns'))
  symlinkSync('pid:[3]', join(host.directory, 'proc/401/ns/pid'))
  t.equal(namespaces.findInit(400), undefined, 'is not looked for with every read')
  host.clock.advance(10)
  t.equal(namespaces.findInit(400)?.pid, 401)
  host.set({ 'proc/200': undefined })
  t.equal(namespaces.findInit(202), undefined, 'an init that ended is none')
})

t.test('a long line of parents is not followed to its end', async t => {
  const COUNT = 2000
  const host = machine(t, {})
  const read: string[] = []
  const files = new Map(
    Array.from({ length: COUNT }, (_, i) => {
      const pid = 1000 + i
      return [`proc/${pid}/status`, `Name:\tx\nPPid:\t${pid - 1}\nNSpid:\t${pid}\t${i + 1}\n`]
    }),
  )
  host.tryRead = path => {
    read.push(path)
    return files.get(path)
  }
  t.equal(new PidNamespaces(host).findInit(1000 + COUNT - 1), undefined)
  t.ok(read.length < 1000, `${read.length} files are read`)
})
