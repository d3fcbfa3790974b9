/** `procveil configure` on a machine under systemd, with the daemons that it configures. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { retry } from '../../kit/requirements.ts'
import { IMAGE } from '../podman.ts'
import { dpkg, HOST, OWN, PROCVEIL, run, traces } from './machine.ts'
import { importImages, runInPod } from './pod.ts'

const VERSION = process.env.PROCVEIL_VERSION ?? ''
const PODS = '/sys/fs/cgroup/k8s.io'
const LIMITED = ['--rm', '--network', 'none', '--memory', '64m']
const LOOK = ['/bin/grep', 'MemTotal', '/proc/meminfo']

t.setTimeout(0)

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
const configure = (...args: string[]) => run(PROCVEIL, 'configure', ...args)
const words = (line: string) => line.trim().replace(/\s+/g, ' ')

dpkg.install(VERSION, 'procveil')
t.teardown(() => dpkg.erase())

t.test('podman', async t => {
  const hook = '/usr/share/containers/oci/hooks.d/50-procveil.json'
  t.equal(text(hook), undefined)
  t.match(configure('podman', '--dry-run'), '+++')
  t.equal(text(hook), undefined)
  configure('podman')
  const written = text(hook)
  t.equal(words(run('podman', 'run', ...LIMITED, IMAGE, ...LOOK)), OWN)
  configure('podman')
  t.equal(text(hook), written)
  configure('podman', '--undo')
  t.equal(text(hook), undefined)

  // Without the hook for all, by the device of /etc/cdi.
  const device = ['--device', 'procveil.io/proc=view']
  t.equal(words(run('podman', 'run', ...LIMITED, ...device, IMAGE, ...LOOK)), OWN)
})

t.test('docker', async t => {
  const file = '/etc/docker/daemon.json'
  // As an administrator has written it.
  const before = '{ "iptables":false,"bridge" : "none",\n\t"features": {"buildkit": true} }\n'
  mkdirSync('/etc/docker', { recursive: true })
  writeFileSync(file, before)
  t.teardown(() => {
    run('systemctl', 'stop', 'docker.service', 'docker.socket')
    rmSync(file)
  })
  run('systemctl', 'start', 'docker.service')
  run('docker', 'import', '/usr/share/vm/busybox.tar', IMAGE)
  const device = ['--device', 'procveil.io/proc=view']
  t.throws(() => run('docker', 'run', ...LIMITED, ...device, IMAGE, ...LOOK))

  t.match(configure('docker', '--dry-run'), /^\+.*"cdi"/m)
  t.equal(text(file), before)
  t.match(configure('docker', '--restart'), /restart/)
  t.match(JSON.parse(text(file) ?? ''), { bridge: 'none', features: { buildkit: true, cdi: true } })
  t.equal(words(run('docker', 'run', ...LIMITED, ...device, IMAGE, ...LOOK)), OWN)
  const written = text(file)
  configure('docker')
  t.equal(text(file), written, 'twice is once')

  const running = ['--detach', '--network', 'none', '--memory', '64m', '--name', 'updated']
  run('docker', 'run', ...running, ...device, IMAGE, 'sleep', '1000')
  run('docker', 'update', '--memory', '32m', '--memory-swap', '64m', 'updated')
  t.equal(words(run('docker', 'exec', 'updated', ...LOOK)), 'MemTotal: 32768 kB')
  run('docker', 'rm', '--force', 'updated')

  configure('docker', '--undo')
  t.equal(text(file), before, 'to the byte')
})

t.test('containerd', async t => {
  const file = '/etc/containerd/config.toml'
  const before = text(file)
  t.teardown(async () => {
    run('systemctl', 'stop', 'containerd.service')
    // containerd leaves the cgroup that it puts pods into, which has some of a pod's until all its processes are gone.
    if (existsSync(PODS)) await retry(() => rmdirSync(PODS), 10_000)
  })
  t.match(configure('containerd', '--dry-run'), 'base_runtime_spec')
  t.equal(text(file), before)
  configure('containerd', '--set-as-default', '--restart')
  const written = text(file)
  configure('containerd', '--set-as-default')
  t.equal(text(file), written, 'twice is once')
  await retry(() => run('ctr', 'version'), 60_000)
  const plugins = run('ctr', 'plugins', 'ls').split('\n')
  t.match(
    plugins.find(line => / cri /.test(line)),
    / ok\s*$/,
    'the CRI plugin has taken it',
  )
  t.match(run('containerd', 'config', 'dump'), /default_runtime_name = ['"]procveil['"]/)
  importImages()
  for (const handler of ['', 'procveil'])
    t.equal(words(await runInPod(LOOK, { handler })), OWN, handler)
  t.equal(
    words(await runInPod(LOOK, { handler: 'runc' })),
    HOST,
    'a handler of its own has no hook',
  )

  configure('containerd', '--undo', '--restart')
  t.equal(text(file), before, 'to the byte')
  t.notMatch(run('containerd', 'config', 'dump'), 'procveil')
})

t.test('NRI', async t => {
  const file = '/etc/containerd/config.toml'
  const before = text(file)
  // containerd 1.7 has it switched off; the images are there from the test before.
  const table = '[plugins."io.containerd.nri.v1.nri"]\n  disable = false\n'
  writeFileSync(file, `${before ?? 'version = 2\n'}\n${table}`)
  t.teardown(async () => {
    if (before === undefined) rmSync(file)
    else writeFileSync(file, before)
    run('systemctl', 'stop', 'containerd.service')
    if (existsSync(PODS)) await retry(() => rmdirSync(PODS), 10_000)
  })
  run('systemctl', 'restart', 'containerd.service')
  await retry(() => run('ctr', 'version'), 60_000)
  t.match(configure('nri', '--restart'), 'reloaded procveil')
  const look = async (annotations: Record<string, string> = {}) =>
    words(await runInPod(LOOK, { annotations }))
  const on = { 'io.procveil.enabled': 'on' }
  // The plugin connects a moment later.
  const untilOwn = (annotations: Record<string, string>) =>
    retry(async () => {
      const seen = await look(annotations)
      if (seen !== OWN) throw new Error(`a pod sees ${seen}`)
    }, 120_000)
  await untilOwn(on)
  t.equal(await look(), HOST)
  configure('nri', '--set-as-default')
  t.equal(await look(), OWN, 'at once')
  t.equal(await look({ 'io.procveil.enabled': 'off' }), HOST)
  run('systemctl', 'restart', 'containerd.service')
  await untilOwn({})
  const findings: { text: string }[] = JSON.parse(run(PROCVEIL, 'doctor', '--json'))
  t.match(findings.find(each => each.text.startsWith('nri'))?.text, 'all pods but those of kube-')
  configure('nri', '--undo')
  t.equal(await look(), HOST, 'at once, too')
})

t.test('what is configured is taken back when the package goes', async t => {
  const file = '/etc/containerd/config.toml'
  const before = text(file)
  configure('containerd')
  configure('podman')
  const findings: { level: string; text: string }[] = JSON.parse(run(PROCVEIL, 'doctor', '--json'))
  t.strictSame(
    findings.filter(({ level, text }) => level !== 'ok' && /podman|containerd/.test(text)),
    [],
  )
  dpkg.erase()
  t.equal(text(file), before)
  t.strictSame(traces(), [])
  dpkg.install(VERSION, 'procveil')
})
