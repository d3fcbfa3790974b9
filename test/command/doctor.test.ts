import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Reply, tryAskMount } from '../../src/command/containers/ask-mount.ts'
import type { ListedContainer } from '../../src/command/containers/list.ts'
import { checkCgroups } from '../../src/command/doctor/cgroups.ts'
import { checkContainers } from '../../src/command/doctor/containers.ts'
import { type Finding, nameSome, renderFindings } from '../../src/command/doctor/finding.ts'
import { checkFuse, checkPlace, checkRelease } from '../../src/command/doctor/kernel.ts'
import { checkOthers, checkRegistrations } from '../../src/command/doctor/leftovers.ts'
import { checkMount, checkPropagation, type Service } from '../../src/command/doctor/mount.ts'
import { checkProcesses } from '../../src/command/doctor/processes.ts'
import { checkStore } from '../../src/command/doctor/store.ts'
import { checkUnit } from '../../src/command/doctor/unit.ts'
import { Registry } from '../../src/container/registry.ts'
import { KEPT_COUNT } from '../../src/service/notify.ts'
import { JobError, LATE, NO_WORKER } from '../../src/worker/messages.ts'
import { machine } from '../machines/machine.ts'

const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level)
const mountinfo = (...lines: string[]) => ({ 'proc/self/mountinfo': `${lines.join('\n')}\n` })
const ROOT = '26 1 254:0 / / rw shared:1 - ext4 /dev/vda rw'

t.test('a kernel that is too old is a problem', async t => {
  const level = (release: string) => checkRelease(release).level
  t.equal(level('5.10.0-60.18.0.50.oe2203.x86_64'), 'ok')
  t.equal(level('5.6.0'), 'ok')
  t.equal(level('4.19.90'), 'problem')
  t.equal(level(''), 'problem')
  t.equal(level('6.1.0-18-amd64'), 'ok')
  t.equal(level('7.0'), 'ok')
})

t.test('a missing /dev/fuse is a problem', async t => {
  const host = machine(t, {})
  t.match(checkFuse(host), { level: 'problem', text: /ENOENT/, advice: /modprobe fuse/ })
  host.set({ 'dev/fuse': '' })
  t.equal(checkFuse(host).level, 'ok')
})

t.test('only root in the mount namespace of process 1 sees all', async t => {
  const host = machine(t, {})
  const enter = (pid: string, namespace: string) => {
    mkdirSync(host.path(`proc/${pid}/ns`), { recursive: true })
    symlinkSync(namespace, host.path(`proc/${pid}/ns/mnt`))
  }
  t.strictSame(levels(checkPlace(host, 1000)), ['problem'])
  enter('self', 'mnt:[1]')
  t.strictSame(levels(checkPlace(host, 0)), ['ok'], 'what is hidden is not judged')
  enter('1', 'mnt:[2]')
  t.strictSame(levels(checkPlace(host, 0)), ['warning'])
})

t.test('cgroup layouts', async t => {
  const v1 = ['cpu,cpuacct', 'cpuset', 'blkio'].map(
    (names, at) =>
      `${30 + at} 26 0:${30 + at} / /sys/fs/cgroup/${names} rw - cgroup cgroup rw,xattr,${names}`,
  )
  const memory = '40 26 0:40 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
  const named = '41 26 0:41 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd'
  const unified = (path: string) => `42 26 0:42 / /sys/fs/cgroup${path} rw - cgroup2 cgroup2 rw`

  t.test('v2', async t => {
    const host = machine(t, {
      ...mountinfo(unified('')),
      'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory\n',
    })
    t.match(checkCgroups(host), [{ level: 'ok', text: 'layout v2: v2 has cpu cpuset io memory' }])
    host.set({ 'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io\n' })
    t.match(checkCgroups(host), [
      { level: 'ok' },
      { level: 'warning', text: /no controller memory/, advice: /cgroup_enable=memory/ },
    ])
  })
  t.test('v1, and hybrid with controllers on one side or both', async t => {
    const host = machine(t, {
      ...mountinfo(...v1, memory, named),
      'sys/fs/cgroup/memory/memory.memsw.usage_in_bytes': '0\n',
    })
    t.match(checkCgroups(host), [
      { level: 'ok', text: 'layout v1: v1 has blkio cpu cpuacct cpuset memory' },
    ])
    host.set({
      ...mountinfo(...v1, memory, named, unified('/unified')),
      'sys/fs/cgroup/unified/cgroup.controllers': '\n',
    })
    t.match(checkCgroups(host)[0]?.text, /^layout v1, hybrid: v1 has/)
    host.set({ 'sys/fs/cgroup/unified/cgroup.controllers': 'hugetlb\n' })
    t.match(checkCgroups(host)[0]?.text, /^layout hybrid: .*, v2 has hugetlb$/)
    host.set({ 'sys/fs/cgroup/memory/memory.memsw.usage_in_bytes': undefined })
    t.match(checkCgroups(host)[1], { level: 'warning', advice: /swapaccount=1/ })
  })
  t.test('none', async t => {
    t.strictSame(levels(checkCgroups(machine(t, mountinfo(ROOT)))), ['problem'])
  })
})

const SETTINGS = { mountPoint: '/var/lib/lxc/lxcfs', runDirectory: '/run/procveil' }
const OURS = '50 26 0:50 / /var/lib/lxc/lxcfs rw,shared:9 - fuse.lxcfs lxcfs rw'

t.test('the mount and its service', async t => {
  const look = (service: Service, ...lines: string[]) =>
    checkMount(machine(t, mountinfo(ROOT, ...lines)), SETTINGS, '1.0', service)
  const service = (answer: Service['answer'], version?: string, server?: number): Service => ({
    answer,
    keeper: version === undefined ? undefined : { pid: 7, version, hangs: false },
    server,
  })
  t.match(look(service('off')), [{ level: 'ok', text: /nothing is mounted/ }])
  t.match(look(service('off', '1.0')), [{ level: 'problem', advice: /^procveil check-lxcfs: / }])
  t.match(look(service('answers', '1.0'), OURS), [{ level: 'ok', text: /process 7, version 1.0/ }])
  t.match(look(service('answers', '0.9'), OURS), [{ level: 'warning', advice: 'procveil upgrade' }])
  t.match(look(service('answers'), OURS), [{ level: 'problem', text: /another lxcfs/ }])
  t.match(look(service('answers', undefined, 8), OURS), [{ level: 'warning', text: /server 8/ }])
  t.match(look(service('gone'), OURS), [{ level: 'problem', advice: /^procveil check-lxcfs: / }])
  t.match(look(service('gone', '0.9'), OURS), [{ level: 'problem', advice: 'procveil upgrade' }])
  t.match(look(service('silent', '1.0'), OURS), [{ level: 'problem', advice: /check-lxcfs/ }])
  t.match(look(service('silent', undefined, 8), OURS), [{ advice: /^kill -KILL 8; procveil / }])
  t.match(look(service('silent'), OURS), [{ level: 'problem', advice: /fuser/ }])
  t.match(look(service('unasked', '1.0'), OURS), [{ level: 'problem', text: /could not be asked/ }])
  t.match(look(service('answers', '1.0'), OURS, OURS.replace('50 26 0:50', '51 50 0:51')), [
    { level: 'ok' },
    { level: 'warning', text: /1 earlier/ },
  ])
  const ext4 = '51 26 8:1 / /var/lib/lxc/lxcfs rw - ext4 /dev/sda1 rw'
  t.match(look(service('off'), ext4), [{ level: 'problem', text: /type ext4/ }])
})

t.test('a process that is kept from running', async t => {
  const cgroup2 = '30 26 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
  const look = (answer: Service['answer'], hangs: boolean, files: Record<string, string>) => {
    const host = machine(t, { ...mountinfo(ROOT, cgroup2, OURS), ...files })
    const keeper = { pid: 7, version: '1.0', hangs }
    return checkMount(host, SETTINGS, '1.0', { answer, keeper, server: 8 })
  }
  const stopped = (pid: number) => ({ [`proc/${pid}/stat`]: `${pid} (procveil) T 1` })
  const frozen = (path: string) => ({
    'proc/7/cgroup': `0::${path}/below\n`,
    [`sys/fs/cgroup${path}/cgroup.freeze`]: '1\n',
  })
  t.match(look('answers', true, stopped(7)), [
    { level: 'problem', text: /7 is stopped: nobody replaces/, advice: 'kill -CONT 7' },
  ])
  t.match(look('silent', true, { ...stopped(7), ...stopped(8) }), [
    { text: /7 is stopped, process 8 is stopped: .*wait/, advice: 'kill -CONT 7; kill -CONT 8' },
  ])
  t.match(look('silent', false, stopped(8)), [
    { text: /process 7 replaces it/, advice: /^procveil/ },
  ])
  t.match(look('silent', true, frozen("/a 'b'")), [
    { text: /7 is frozen/, advice: "echo 0 > '/sys/fs/cgroup/a '\\''b'\\''/cgroup.freeze'" },
  ])
  t.match(look('silent', true, frozen('/system.slice/procveil.service')), [
    { advice: /^systemctl thaw procveil.service; echo 0 > .*procveil.service\/cgroup.freeze$/ },
  ])
  t.match(look('silent', true, {}), [{ text: /hangs/, advice: /^kill -KILL 7 8; procveil / }])
  t.match(look('silent', true, stopped(8)), [{ text: /hangs/, advice: /^kill -KILL 7 8; / }])
  t.match(look('answers', true, {}), [{ text: /hangs/, advice: /^kill -KILL 7: / }])
})

t.test('propagation is that of the mount which the directory is on', async t => {
  const look = (...lines: string[]) =>
    checkPropagation(machine(t, mountinfo(...lines)), SETTINGS).level
  t.equal(look(ROOT, '60 26 8:2 / /var rw - ext4 /dev/sda2 rw'), 'warning')
  t.equal(look(ROOT, '60 26 8:2 / /var/lib rw shared:5 - ext4 /dev/sda2 rw'), 'ok')
  t.equal(look(ROOT.replace('shared:1', 'master:1')), 'warning')
  t.equal(look(ROOT, '60 26 8:2 / /var/li rw - ext4 /dev/sda2 rw'), 'ok', 'a name that begins so')
})

t.test('the unit of systemd', async t => {
  const host = machine(t, {})
  t.match(checkUnit(host), { level: 'ok', text: /systemd does not run/ })
  host.set({ 'run/systemd/system/x': '' })
  t.match(checkUnit(host), { level: 'warning', text: /not installed/ })
  host.set({
    'usr/lib/systemd/system/procveil.service': '[Service]\nExecStart=/opt/procveil serve\n',
  })
  t.match(checkUnit(host), { level: 'problem', text: '/opt/procveil, which is not there' })
  host.set({ 'opt/procveil': '' })
  t.match(checkUnit(host), { level: 'warning', advice: 'systemctl enable procveil.service' })
  host.set({ 'etc/systemd/system/multi-user.target.wants/other.service': '' })
  t.equal(checkUnit(host).level, 'warning')
  symlinkSync(
    '/usr/lib/systemd/system/procveil.service',
    host.path('etc/systemd/system/multi-user.target.wants/procveil.service'),
  )
  t.match(checkUnit(host), { level: 'ok' })
})

t.test('registrations of ended containers, and damaged ones', async t => {
  const stat = (ticks: number) => `42 (x) S ${'0 '.repeat(18)}${ticks} 0\n`
  const host = machine(t, { 'proc/42/stat': stat(7) })
  const runDirectory = join(host.directory, 'run')
  const look = () => checkRegistrations(host, { runDirectory })
  t.match(look(), [{ level: 'ok', text: /^0 running/ }])
  const registry = new Registry(runDirectory)
  const container = { cgroups: {}, rootfs: '/', rootMount: 1, options: {} }
  registry.register({ ...container, id: 'alive', pid: 42, startTicks: 7 })
  registry.register({ ...container, id: 'reused', pid: 42, startTicks: 6 })
  registry.register({ ...container, id: 'ended', pid: 43, startTicks: 7 })
  host.set({ 'run/containers/damaged.json': '{' })
  t.match(look(), [
    { level: 'ok', text: /^1 running/ },
    { level: 'warning', text: /ended containers: ended, reused$/, advice: /remount --all/ },
    { level: 'warning', text: /cannot be read: damaged$/ },
  ])
})

t.test('other mounts of our kind are asked', async t => {
  const other = (path: string, minor: number) =>
    `60 26 0:${minor} / ${path} rw - fuse.lxcfs lxcfs rw`
  const host = machine(
    t,
    mountinfo(
      ROOT,
      OURS,
      other('/live', 51),
      other('/dead', 52),
      other('/hung\\040up', 53),
      other('/unasked', 56),
      other('/covered', 54),
      '61 60 0:55 / /covered rw - tmpfs tmpfs rw',
    ),
  )
  const asked: string[] = []
  const answers: Record<string, Reply> = {
    '/live': 'answers',
    '/dead': 'gone',
    '/unasked': 'unasked',
  }
  const { findings, answering } = await checkOthers(host, SETTINGS, async path => {
    asked.push(path)
    return answers[path] ?? 'silent'
  })
  t.strictSame(
    asked,
    ['/live', '/dead', '/hung up', '/unasked'],
    'neither ours nor what lies below another',
  )
  t.match(findings, [
    { level: 'ok', text: /\/live/ },
    { level: 'warning', advice: 'umount /dead' },
    { level: 'problem', text: /\/hung up/ },
    { level: 'problem', text: /not be asked.*\/unasked/ },
  ])
  t.strictSame([...answering], ['0:51'])
})

t.test('where no worker can be started the reply says so, and stderr why', async t => {
  const errors: string[] = []
  const log = { error: (error: unknown) => errors.push(String((error as Error).cause)) }
  const failing = (code: string) => ({
    ask: () => Promise.reject(new JobError('no process', code)),
  })
  t.equal(await tryAskMount(failing(NO_WORKER), '/x', 1, log), 'unasked')
  t.match(errors, [/no process/])
  t.equal(await tryAskMount(failing(LATE), '/x', 1, log), 'silent')
  t.equal(errors.length, 1)
})

t.test('containers by whose files they see', async t => {
  const seen = (id: string, values: Partial<ListedContainer>): ListedContainer => ({
    id,
    pid: 1,
    bound: 0,
    files: 3,
    state: 'host',
    otherDevices: [],
    barsNesting: false,
    registered: true,
    detached: false,
    ...values,
  })
  const listed = (...containers: ListedContainer[]) => ({ containers, isWhole: true })
  const findings = checkContainers(
    listed(
      seen('good', { state: 'ok', barsNesting: true }),
      seen('dead', { state: 'stale', otherDevices: ['0:51', '0:52'] }),
      seen('other', { state: 'stale', otherDevices: ['0:51'] }),
      seen('some', { state: 'partial' }),
      seen('many', { state: 'unknown' }),
      seen('out', { detached: true }),
      seen('lost', {}),
      seen('bare', { registered: false, name: 'a\x1b[2J' }),
    ),
    new Set(['0:51']),
  )
  t.match(findings, [
    { level: 'ok', text: /their own files: good$/ },
    { level: 'ok', text: /operator.*: out$/ },
    { level: 'problem', text: /gone.*: dead$/ },
    { level: 'warning', text: /another lxcfs: other$/ },
    { level: 'warning', text: /some of their files: some$/ },
    { level: 'warning', text: /too many mounts.*: many$/ },
    { level: 'warning', text: /registered.*: lost$/ },
    { level: 'warning', text: /see the host's files: a/ },
    { level: 'ok', text: /^1 cannot have unprivileged.*: good$/, advice: /nestedMounts/ },
  ])
  t.notMatch(renderFindings(findings, false), '\x1b')
  t.match(checkContainers(listed(), new Set()), [{ level: 'ok' }])
  const part = { containers: [seen('good', { state: 'ok' })], isWhole: false }
  t.match(checkContainers(part, new Set()), [{ level: 'ok' }, { level: 'problem' }])
})

t.test('findings are lines, with what to do next', async t => {
  const findings: Finding[] = [
    { check: 'a', level: 'ok', text: 'good' },
    { check: 'b', level: 'warning', text: 'odd', advice: 'look' },
  ]
  t.equal(
    renderFindings(findings, false),
    'ok       good\nwarning  odd\n         -> look\n0 problems, 1 warning\n',
  )
  t.match(renderFindings(findings, true), '\x1b[33mwarning')
  t.equal(nameSome(['a', 'b']), 'a, b')
  t.equal(nameSome('abcdefgh'.split('')), 'a, b, c, d, e and 3 more')
})

t.test('processes of ours that were killed and are left', async t => {
  const [killed, pending] = [42, 43].map(pid => `${pid} (procveil) D 1${' 0'.repeat(26)} 256 0`)
  const host = machine(t, {
    'proc/42/task/42/stat': killed ?? '',
    'proc/43/task/43/stat': pending ?? '',
    'proc/44/task/44/stat': `44 (procveil) S 1${' 0'.repeat(28)}`,
  })
  mkdirSync(join(host.directory, 'proc/self'))
  const run = (pid: string, program: string) =>
    symlinkSync(program, join(host.directory, 'proc', pid, 'exe'))
  run('self', '/usr/libexec/procveil/procveil')
  run('44', '/usr/libexec/procveil/procveil')
  run('43', '/bin/procveil')
  t.equal(checkProcesses(host).level, 'ok', 'neither one that lives nor one of others')
  run('42', '/usr/libexec/procveil/procveil (deleted)')
  t.match(checkProcesses(host), { level: 'warning', text: / 42$/ })
})

t.test('systemd tells whether the service runs, and what it keeps of it', async t => {
  const check = (state: string, step: string, stored: number) =>
    checkStore(`ActiveState=${state}\nSubState=${step}\nNFileDescriptorStore=${stored}\n`)
  t.strictSame(checkStore(undefined), [], 'systemd does not run')
  t.strictSame(check('inactive', 'dead', 0), [], 'a hook may have started the service')
  t.strictSame(levels(check('active', 'running', KEPT_COUNT)), ['ok'])
  const [disabled] = check('active', 'running', 0)
  t.equal(disabled?.level, 'warning')
  t.match(disabled?.text, /keeps 0 of \d/)
  t.match(disabled?.advice, 'systemctl restart procveil.service', 'a hook has started the keeper')
  const show = 'ActiveState=active\nSubState=running\nNFileDescriptorStore=1\n'
  const [full] = checkStore(show, '0::/system.slice/procveil.service\n')
  t.match(full?.advice, /FileDescriptorStoreMax= .*systemctl reload procveil.service/)
  for (const [state, step] of [
    ['failed', 'failed'],
    ['activating', 'auto-restart'],
    ['activating', 'start-pre'],
  ] as const) {
    const [finding] = check(state, step, KEPT_COUNT)
    t.equal(finding?.level, 'problem')
    t.match(finding?.text, `it is ${state}, ${step}`)
  }
})
