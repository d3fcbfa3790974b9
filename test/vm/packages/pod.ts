/** A pod of one container, as a kubelet asks containerd for it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { IMAGE } from '../podman.ts'
import { run } from './machine.ts'

const SOCKET = 'unix:///run/containerd/containerd.sock'
const PROTOCOL = '/share/packages/cri.proto'
/** NamespaceMode NODE: the pod needs no network of its own, and so no plugin that makes one. */
const NODE = 2
const DEADLINE_MS = 180_000

type Answer = Record<string, string>

/** Gives containerd the busybox image, also under the name of the one that holds a pod's namespaces. */
export function importImages(): void {
  const directory = mkdtempSync(join(tmpdir(), 'images-'))
  const dumped = run('containerd', 'config', 'dump')
  const [, pause = ''] = /sandbox(?:_image)? = ['"]([^'"]+)['"]/.exec(dumped) ?? []
  const archive = join(directory, 'image.tar')
  run(
    'podman',
    'import',
    '--quiet',
    '--change',
    'ENTRYPOINT ["/bin/sleep","100000"]',
    '/usr/share/vm/busybox.tar',
    pause,
  )
  run(
    'podman',
    'save',
    '--quiet',
    '--format',
    'docker-archive',
    '--output',
    archive,
    '-m',
    pause,
    IMAGE,
  )
  run('ctr', '--namespace', 'k8s.io', 'images', 'import', archive)
  run('podman', 'rmi', pause)
  rmSync(directory, { recursive: true })
}

/**
 * Starts a pod with a container of 64 MiB, and returns what a command prints in it. `handler` is that of a RuntimeClass;
 * '' is the default one.
 */
export async function runInPod(
  handler: string,
  command: readonly string[],
  annotations: Readonly<Record<string, string>> = {},
): Promise<string> {
  const client = connect()
  const name = `pod-${handler || 'default'}`
  const config = {
    metadata: { name, uid: name, namespace: 'default' },
    annotations,
    linux: { security_context: { namespace_options: { network: NODE } } },
  }
  const call = (method: string, request: object): Promise<Answer> => {
    const options = { deadline: Date.now() + DEADLINE_MS }
    return new Promise((resolve, reject) => {
      client[method]?.call(client, request, options, (error: Error | null, answer: Answer) =>
        error === null ? resolve(answer) : reject(error),
      )
    })
  }
  try {
    const { pod_sandbox_id } = await call('RunPodSandbox', { config, runtime_handler: handler })
    const { container_id } = await call('CreateContainer', {
      pod_sandbox_id,
      sandbox_config: config,
      config: {
        metadata: { name },
        image: { image: IMAGE },
        command: ['/bin/sleep', '100000'],
        linux: {
          resources: { memory_limit_in_bytes: 64 * 2 ** 20 },
          security_context: { namespace_options: { network: NODE } },
        },
      },
    })
    await call('StartContainer', { container_id })
    const { stdout = '' } = await call('ExecSync', { container_id, cmd: command, timeout: 60 })
    await call('StopPodSandbox', { pod_sandbox_id })
    await call('RemovePodSandbox', { pod_sandbox_id })
    return stdout.toString()
  } finally {
    client.close()
  }
}

function connect() {
  const loaded = loadPackageDefinition(loadSync(PROTOCOL, { keepCase: true }))
  const { v1 } = loaded.runtime as unknown as { v1: { RuntimeService: ServiceClientConstructor } }
  return new v1.RuntimeService(SOCKET, credentials.createInsecure())
}
