/** The container of deploy/ on a machine under systemd, as a DaemonSet runs it, while other containers read their files. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { ApiServer } from '../../kit/api-server.ts'
import { retry } from '../../kit/requirements.ts'
import { temporary } from '../../kit/temporary.ts'
import { HOST, OWN, PROCVEIL, Reader, run, servingVersion, traces } from '../packages/machine.ts'
import { IMAGE } from '../podman.ts'

const VERSION = process.env.PROCVEIL_VERSION ?? ''
const EARLIER = '0.1.0'
const CONTAINERD = '/etc/containerd/config.toml'
const SECRETS = '/var/run/secrets/kubernetes.io/serviceaccount'
const SETTLED_MS = 60_000
const TIMEOUT_MS = 240_000
const OPTIONS = '{"loadavg": "off"}'

t.setTimeout(0)

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
const imageOf = (version: string) => `localhost/procveil:${version}`

/** The API server answers meanwhile, which is in this process. */
const podman = async (...args: string[]) =>
  (await execa('podman', args, { stdin: 'ignore', all: true, timeout: TIMEOUT_MS })).all

/** Starts a pod of the DaemonSet, and waits until it says that the node is served, or `expected`. */
async function startPod(
  name: string,
  version: string,
  { credentials, port }: { credentials: string; port: number },
  { mode = 'base-spec', expected = `${version} serves this node` } = {},
): Promise<void> {
  const environment = {
    ...{ MODE: mode, RUNTIME: 'containerd', OPTIONS, POD: name },
    ...{ NAMESPACE: 'kube-system', DAEMONSET: 'procveil' },
    ...{ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) },
  }
  const variables = Object.entries(environment).flatMap(([key, value]) => [
    ...['--env', `${key}=${value}`],
  ])
  await podman(
    ...['run', '--detach', '--name', name, '--privileged', '--pid', 'host', '--network', 'host'],
    // As a kubelet does.
    ...['--restart', 'on-failure', '--log-driver', 'k8s-file'],
    ...['--volume', `${credentials}:${SECRETS}:ro`, ...variables, imageOf(version)],
  )
  await retry(async () => {
    const said = await podman('logs', name)
    if (!said.includes(expected)) throw new Error(said)
  }, SETTLED_MS)
}

/** Ends it as a kubelet does, and returns what it has said. */
async function endPod(name: string): Promise<string> {
  await podman('stop', '--time', '200', name)
  const said = await podman('logs', name)
  await podman('rm', name)
  return said
}

/** Deletes it with its Role. */
async function deleteDaemonSet(server: ApiServer): Promise<void> {
  await retry(() => {
    if (server.watches === 0) throw new Error('it does not watch')
  }, SETTLED_MS)
  server.mood = 'forbidden'
  server.tell('DELETED')
  await retry(() => {
    if (server.watches > 0) throw new Error('it watches still')
  }, SETTLED_MS)
}

function buildImage(t: Test, version: string): void {
  const folder = `/share/packages/procveil-${version}-linux-x86_64`
  const options = ['--build-arg', `BASE=${IMAGE}`, '--layers=false', '--tag', imageOf(version)]
  run('podman', 'build', ...options, '--file', `${folder}/deploy/Dockerfile`, folder)
  t.teardown(() => run('podman', 'rmi', '--force', imageOf(version)))
}

t.test('a node gets it from a container, and loses it when that is deleted by choice', async t => {
  t.strictSame(traces(), [], 'nothing of ours is there')
  const containerd = text(CONTAINERD)
  for (const version of [EARLIER, VERSION]) buildImage(t, version)
  const server = new ApiServer(temporary(t))
  const api = await server.listen()
  const reader = new Reader('reader')
  t.teardown(async () => {
    server.close()
    reader.remove()
    await podman('rm', '--force', '--ignore', ...PODS)
    if (traces().length > 0) await podman('run', ...REMOVE, imageOf(VERSION), 'remove')
    run('systemctl', 'stop', 'containerd.service')
  })

  await startPod('first', VERSION, api)
  t.equal(servingVersion(), VERSION)
  t.equal(run('systemctl', 'is-enabled', 'procveil.service'), 'enabled')
  t.match(run('systemctl', 'show', '--property', 'ControlGroup', 'procveil'), 'system.slice')
  t.equal(text('/etc/procveil/config.json'), `${OPTIONS}\n`)
  t.match(run('containerd', 'config', 'dump'), /default_runtime_name = ['"]procveil['"]/)
  run('podman', 'exec', 'first', '/bin/sh', '-c', 'MODE=base-spec /bin/sh /procveil/node.sh ready')
  await retry(() => run(PROCVEIL, 'remount', '--all'), SETTLED_MS)
  t.equal(reader.memTotal(), OWN)

  t.match(await endPod('first'), 'the DaemonSet is there')
  t.equal(servingVersion(), VERSION, 'a restart takes nothing away')
  t.equal(reader.memTotal(), OWN)
  t.equal(await reader.failures(), '')

  await startPod('second', EARLIER, api)
  t.equal(servingVersion(), EARLIER, 'another image brings its version')
  t.match(await endPod('second'), 'the DaemonSet is there')
  await startPod('third', VERSION, api)
  t.equal(servingVersion(), VERSION)
  t.equal(await reader.failures(), '', 'readers have noticed nothing')

  server.mood = 'silent'
  t.match(await endPod('third'), 'does not say that the DaemonSet was deleted')
  t.equal(servingVersion(), VERSION, 'no answer takes nothing away')

  server.mood = 'there'
  await startPod('fourth', VERSION, api)
  await deleteDaemonSet(server)
  t.match(await endPod('fourth'), 'is taken away')
  const nothingIsLeft = () => {
    t.strictSame(traces(), [], 'nothing is left')
    for (const path of ['/etc/procveil', '/etc/cdi/procveil.json', '/etc/logrotate.d/procveil']) {
      t.notOk(existsSync(path), path)
    }
    t.equal(text(CONTAINERD), containerd, 'to the byte')
  }
  nothingIsLeft()
  t.equal(reader.memTotal(), HOST)

  // Installed again while the pod before takes everything away, or just before that.
  server.mood = 'there'
  await startPod('fifth', VERSION, api)
  await deleteDaemonSet(server)
  await Promise.all([endPod('fifth'), startPod('sixth', VERSION, api)])
  t.equal(servingVersion(), VERSION)
  t.equal(text('/var/lib/procveil/node/owner'), 'sixth\n')
  t.match(run('containerd', 'config', 'dump'), /default_runtime_name = ['"]procveil['"]/)
  server.mood = 'there'
  await deleteDaemonSet(server)
  t.match(await endPod('sixth'), 'is taken away')
  nothingIsLeft()

  // containerd here is of 1.6 and knows no NRI: what the mode does beyond this, test/vm/runtimes sees with a newer one.
  server.mood = 'there'
  await startPod('seventh', VERSION, api, { mode: 'nri', expected: 'no runtime listens' })
  t.equal(text('/etc/procveil/nri.json'), '{}\n')
  t.equal(text(CONTAINERD), containerd)
  await deleteDaemonSet(server)
  t.match(await endPod('seventh'), 'is taken away')
  nothingIsLeft()

  server.mood = 'there'
  const broken = `${containerd ?? ''}\n[[[\n`
  writeFileSync(CONTAINERD, broken)
  await startPod('eighth', VERSION, api, { expected: 'tries again' })
  await deleteDaemonSet(server)
  const said = await endPod('eighth')
  t.match(said, 'Cannot configure containerd')
  t.match(said, 'is taken away')
  t.strictSame(traces(), [], 'nothing is left')
  t.equal(text(CONTAINERD), broken)
  if (containerd === undefined) rmSync(CONTAINERD)
  else writeFileSync(CONTAINERD, containerd)
  t.equal(await reader.failures(), '', 'no read has ever failed')
})

const PODS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth']
const REMOVE = ['--rm', '--privileged', '--pid', 'host', '--network', 'host']
