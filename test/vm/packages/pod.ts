/** Pods, as a kubelet asks containerd for them. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { retry } from '../../kit/requirements.ts'
import { IMAGE } from '../podman.ts'
import { run } from './machine.ts'

const SOCKET = 'unix:///run/containerd/containerd.sock'
const PROTOCOL = '/share/packages/cri.proto'
/** NamespaceMode NODE: the pod needs no network of its own, and so no plugin that makes one. */
const NODE = 2
const DEADLINE_MS = 180_000
const END_MS = 60_000

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

interface PodOptions {
  name?: string
  namespace?: string
  /** That of a RuntimeClass; '' is the default one. */
  handler?: string
  annotations?: Readonly<Record<string, string>>
}

const FOR_EVER = ['/bin/sleep', '100000']
const ON_NODE = { namespace_options: { network: NODE } }

export class Pod {
  readonly #client = connect()
  readonly #config: Record<string, unknown>
  readonly #logs = mkdtempSync(join(tmpdir(), 'pod-logs-'))
  #id = ''

  private constructor({ name = 'pod', namespace = 'default', annotations = {} }: PodOptions) {
    this.#config = {
      metadata: { name, uid: name, namespace },
      log_directory: this.#logs,
      annotations,
      linux: { security_context: ON_NODE },
    }
  }

  static async start(options: PodOptions = {}): Promise<Pod> {
    const pod = new Pod(options)
    const request = { config: pod.#config, runtime_handler: options.handler ?? '' }
    try {
      pod.#id = (
        await pod.#call<{ pod_sandbox_id: string }>('RunPodSandbox', request)
      ).pod_sandbox_id
    } catch (error) {
      pod.#forget()
      throw error
    }
    return pod
  }

  /** Starts a container, and returns its id. */
  async add(name: string, mebibytes: number, command: readonly string[] = FOR_EVER) {
    const { container_id } = await this.#call<{ container_id: string }>('CreateContainer', {
      pod_sandbox_id: this.#id,
      sandbox_config: this.#config,
      config: {
        metadata: { name },
        image: { image: IMAGE },
        command,
        log_path: name,
        linux: {
          resources: { memory_limit_in_bytes: mebibytes * 2 ** 20 },
          security_context: ON_NODE,
        },
      },
    })
    await this.#call('StartContainer', { container_id })
    return container_id
  }

  /** Runs a container to its end, as init containers are, and returns what it has printed. */
  async runToEnd(name: string, mebibytes: number, command: readonly string[]): Promise<string> {
    const container_id = await this.add(name, mebibytes, command)
    await retry(async () => {
      const { status } = await this.#call<{ status: { state: string } }>('ContainerStatus', {
        container_id,
      })
      if (status.state !== 'CONTAINER_EXITED') throw new Error(`${name} is ${status.state}`)
    }, END_MS)
    // TIME STREAM TAG TEXT
    const lines = readFileSync(join(this.#logs, name), 'utf8').trimEnd().split('\n')
    return lines.map(line => line.split(' ').slice(3).join(' ')).join('\n')
  }

  /** Returns what a command prints in one of its containers. */
  async exec(container_id: string, command: readonly string[]): Promise<string> {
    const request = { container_id, cmd: command, timeout: 60 }
    const { stdout } = await this.#call<{ stdout: Buffer }>('ExecSync', request)
    return stdout.toString()
  }

  async remove(): Promise<void> {
    try {
      await this.#call('StopPodSandbox', { pod_sandbox_id: this.#id })
      await this.#call('RemovePodSandbox', { pod_sandbox_id: this.#id })
    } finally {
      this.#forget()
    }
  }

  #forget(): void {
    this.#client.close()
    rmSync(this.#logs, { recursive: true })
  }

  #call<Answer>(method: string, request: object): Promise<Answer> {
    const options = { deadline: Date.now() + DEADLINE_MS }
    return new Promise((resolve, reject) => {
      this.#client[method]?.call(
        this.#client,
        request,
        options,
        (error: Error | null, answer: Answer) => (error === null ? resolve(answer) : reject(error)),
      )
    })
  }
}

/** Returns what a command prints in a pod's container of 64 MiB. */
export async function runInPod(command: readonly string[], options: PodOptions = {}) {
  const pod = await Pod.start(options)
  try {
    return await pod.exec(await pod.add('only', 64), command)
  } finally {
    await pod.remove()
  }
}

function connect() {
  const definition = loadSync(PROTOCOL, { keepCase: true, enums: String, defaults: true })
  const loaded = loadPackageDefinition(definition)
  const { v1 } = loaded.runtime as unknown as { v1: { RuntimeService: ServiceClientConstructor } }
  // A connection of another client may be one to a daemon that has ended meanwhile.
  const options = { 'grpc.use_local_subchannel_pool': 1 }
  return new v1.RuntimeService(SOCKET, credentials.createInsecure(), options)
}
