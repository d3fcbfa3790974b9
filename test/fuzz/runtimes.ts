/** State as no runtime writes it. A container whose state is whole is found beside it. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { isId } from '../../src/container/container.ts'
import { Host } from '../../src/host/host.ts'
import { TestClock } from '../machines/machine.ts'
import { ensure } from '../property/runs.ts'
import { findRunning } from '../runtimes/find-running.ts'
import { ID, processFiles, runcState } from '../runtimes/process.ts'
import { fuzzer } from './fuzzer.ts'
import { anyJson, damaged } from './mutations.ts'

const BUNDLE = {
  root: { path: 'rootfs' },
  annotations: {
    'io.container.manager': 'libpod',
    'io.kubernetes.cri.sandbox-name': 'pod',
    a: 'b',
  },
}
const CRIO = { annotations: { 'io.container.manager': 'cri-o' } }
const DOCKER = { ID, Name: '/web', State: { Running: true, Pid: 42 } }
const ISULAD = {
  CommonConfig: { id: 'box', Name: 'web', BaseFs: '/srv/rootfs' },
  State: { Pid: 42, StartTime: 9001 },
}
const CRUN = { pid: 42, 'process-start-time': 9001, rootfs: 'rootfs', bundle: '/bundles/box' }
const YOUKI = { id: 'box', status: 'running', pid: 42, bundle: '/bundles/box', annotations: {} }
const MACHINE =
  'NAME=box\nSCOPE="machine-box.scope"\nSERVICE=systemd-nspawn\nROOT=/srv\nLEADER=42\nCLASS=container\n'
const CGROUP = `sys/fs/cgroup/lxc.payload.box`

/** By path: values of JSON, or texts. */
const STATE: Readonly<Record<string, unknown>> = {
  'run/runc/box/state.json': JSON.parse(runcState('box', 42, 9001, ['a=b'])),
  'run/crun/box/status': CRUN,
  'run/youki/box/state.json': YOUKI,
  'run/youki/box/youki_config.json': { cgroup_path: 'slice:youki:box' },
  'bundles/box/config.json': BUNDLE,
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/init.pid': '42',
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/config.json': BUNDLE,
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/shim-binary-path': '/usr/bin/shim',
  [`var/lib/docker/containers/${ID}/config.v2.json`]: DOCKER,
  [`var/lib/docker/containers/${ID}/hostconfig.json`]: { Runtime: 'runc' },
  'etc/docker/daemon.json': { 'data-root': '/var/lib/docker' },
  [`run/containers/storage/overlay-containers/${ID}/userdata/pidfile`]: '42',
  [`run/containers/storage/overlay-containers/${ID}/userdata/config.json`]: BUNDLE,
  'run/containers/storage/overlay-containers/x/userdata/config.json': CRIO,
  'run/containers/storage/overlay-containers/x/userdata/state.json': {
    ...{ status: 'running', initPid: 42, initStartTime: '9001' },
  },
  'var/lib/containers/storage/overlay-containers/containers.json': [{ id: ID, names: ['web'] }],
  'run/isulad/lcr/box/pid.file': '42 9001 43 9002',
  'var/lib/isulad/engines/lcr/box/config.v2.json': ISULAD,
  'etc/isulad/daemon.json': { graph: '/var/lib/isulad', state: '/run/isulad' },
  'run/systemd/machines/box': MACHINE,
  [`${CGROUP}/cgroup.procs`]: '42\n43\n',
  'var/lib/lxc/box/config': 'lxc.rootfs.path = dir:/srv/web/rootfs\n',
  'proc/42/status': 'Name:\tsh\nPPid:\t1\nNSpid:\t42\t1\n',
  'proc/42/stat': processFiles(42, 9001)['proc/42/stat'],
  'proc/42/cgroup': `1:cpu:/\n0::/lxc.payload.box/machine-box.scope/docker-${ID}.scope\n`,
  'proc/42/uid_map': '0 100000 65536\n',
}

/** Never damaged. */
const WHOLE = {
  ...processFiles(7, 700),
  'proc/self/mountinfo': '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  'run/runc/good/state.json': runcState('good', 7, 700),
}

const change = fc.constantFrom(...Object.keys(STATE)).chain(path => {
  const valid = STATE[path]
  const content = typeof valid === 'string' ? damaged([Buffer.from(valid)]) : anyJson([valid])
  const other = fc.constantFrom('a directory', 'a link', 'nothing')
  return fc.record({
    path: fc.constant(path),
    content: fc.oneof({ weight: 9, arbitrary: content }, { weight: 1, arbitrary: other }),
  })
})
const values = fc.uniqueArray(change, {
  selector: ({ path }) => path,
  minLength: 1,
  maxLength: 6,
})

export const FUZZER = fuzzer(values, (changes, directory) => {
  for (const [path, text] of Object.entries(WHOLE)) write(directory, path, text)
  for (const [path, valid] of Object.entries(STATE)) {
    const found = changes.find(each => each.path === path)
    const text = typeof valid === 'string' ? valid : JSON.stringify(valid)
    write(directory, path, found?.content ?? text)
  }
  const host = new Host(directory, new TestClock())
  const found = findRunning(host, {}, () => undefined)
  ensure(
    found.some(({ id, pid }) => id === 'good' && pid === 7),
    () => 'good is not found',
  )
  for (const each of found) {
    ensure(isId(each.id), () => `the id is ${each.id}`)
    ensure(Number.isSafeInteger(each.pid) && each.pid > 0, () => `the pid is ${each.pid}`)
    ensure(Number.isSafeInteger(each.startTicks), () => `it started at ${each.startTicks}`)
    ensure(/^\/[^\0]*$/s.test(each.rootfs), () => `the root is ${each.rootfs}`)
    ensure(/^[\x21-\x7e]{0,512}$/.test(each.name ?? ''), () => `the name is ${each.name}`)
    const others = Object.values(each.annotations).filter(value => typeof value !== 'string')
    ensure(others.length === 0, () => `an annotation is ${others}`)
  }
})

function write(directory: string, path: string, content: Buffer | string): void {
  const file = join(directory, path)
  mkdirSync(dirname(file), { recursive: true })
  if (content === 'a directory') mkdirSync(file)
  else if (content === 'a link') symlinkSync(file, file)
  else if (content !== 'nothing') writeFileSync(file, content)
}
