/** A Docker of a test's own, whose containers get our hook. Nothing of it is left afterwards. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import type { Test } from 'tap'
import { makeRootfs } from './box.ts'
import { DockerTraces } from './docker-traces.ts'
import { retry } from './requirements.ts'
import type { Site } from './site.ts'
import { writeWrapper } from './wrapper.ts'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000
const SETTLE_MS = 5000

interface DockerOptions {
  /** Arguments of the daemon beyond those that every one has. */
  daemonArgs?: readonly string[]
  /** A command that runs the daemon, such as `unshare --mount`. */
  within?: readonly string[]
}

export class Docker {
  readonly #host: string
  readonly #execRoot: string
  readonly #site: Site
  readonly #traces = new DockerTraces()
  /** procveil-runtime, which containers get by `--runtime=procveil`. */
  readonly runtime: string
  readonly #command: readonly string[]
  #daemon: ReturnType<typeof startDaemon>

  constructor(site: Site, { daemonArgs = [], within = [] }: DockerOptions) {
    const directory = join(site.directory, 'docker')
    mkdirSync(directory)
    this.#site = site
    const { executable, options } = site
    this.runtime = writeWrapper(join(directory, 'runtime'), { executable, options })
    this.#host = `unix://${directory}/socket`
    this.#execRoot = join(directory, 'exec')
    this.#command = [
      ...within,
      'dockerd',
      '--iptables=false',
      '--bridge=none',
      '--storage-driver=vfs',
      '--exec-opt=native.cgroupdriver=cgroupfs',
      `--data-root=${directory}/data`,
      `--exec-root=${this.#execRoot}`,
      `--pidfile=${directory}/pid`,
      `--config-file=${this.config}`,
      `--host=${this.#host}`,
      ...daemonArgs,
    ]
    const runtimes = { procveil: { path: this.runtime } }
    writeFileSync(this.config, JSON.stringify({ runtimes }))
    this.#daemon = startDaemon(this.#command, this.log)
  }

  /** Options of the toolkit with which it finds these containers. */
  get roots(): string[] {
    const directory = join(this.#site.directory, 'docker')
    const runc = join(this.#execRoot, 'runtime-runc/moby')
    return ['--runtime-root', `docker=${directory}/data`, '--runtime-root', runc]
  }

  get config(): string {
    return join(this.#site.directory, 'docker/daemon.json')
  }

  /** Has the daemon read its configuration again. */
  reload(): void {
    this.#daemon.kill('SIGHUP')
  }

  get log(): string {
    return join(this.#site.directory, 'dockerd.log')
  }

  async run(...args: string[]): Promise<string> {
    const options = { timeout: 60_000, stdin: 'ignore' } as const
    return (await execa('docker', [`--host=${this.#host}`, ...args], options)).stdout
  }

  async ready(): Promise<void> {
    await retry(() => {
      if (!this.#runs) {
        throw new Error(`Cannot start dockerd: ${readFileSync(this.log, 'utf8')}`)
      }
      return this.run('version')
    }, START_TIMEOUT_MS)
  }

  /** An image with busybox. */
  async importImage(name: string): Promise<void> {
    const rootfs = join(this.#site.directory, 'image')
    makeRootfs(rootfs)
    execaSync('tar', ['-C', rootfs, '-cf', `${rootfs}.tar`, '.'])
    await this.run('import', `${rootfs}.tar`, name)
  }

  /** Also when the daemon has ended by itself, which leaves its containers running. */
  async remove(): Promise<void> {
    if (this.#runs) {
      const ids = (await this.run('ps', '--all', '--quiet').catch(() => '')).split('\n')
      await this.run('rm', '--force', ...ids).catch(() => {})
      this.#daemon.kill('SIGTERM')
      const late = setTimeout(() => this.#daemon.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await this.#daemon
      clearTimeout(late)
    }
    this.#deleteContainers()
    const killed = new Set<number>()
    await retry(() => {
      for (const pid of this.processes()) {
        killed.add(pid)
        process.kill(pid, 'SIGKILL')
      }
      const left = [...killed].filter(holdsFiles)
      if (left.length > 0) throw new Error(`Cannot end processes ${left.join(' ')} of dockerd`)
    })
    // The kernel closes a socket some time after its process has ended; one that stays open is another's.
    await retry(() => this.#traces.remove(), SETTLE_MS).catch(() => {})
  }

  /** Of the daemon, its containerd and their shims. */
  processes(): number[] {
    const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
    return pids
      .map(Number)
      .filter(pid => readArguments(pid).some(each => each.includes(this.#execRoot)))
  }

  /** Cgroups, folders and files outside of the site that were not there before. */
  traces(): string[] {
    return this.#traces.left()
  }

  /** Ends the daemon alone, as a crash does. */
  async crash(): Promise<void> {
    this.#daemon.kill('SIGKILL')
    await this.#daemon
  }

  /** Ends the daemon, and starts it again. With `--live-restore` its containers run meanwhile. */
  async restart(): Promise<void> {
    this.#daemon.kill('SIGTERM')
    await this.#daemon
    this.#daemon = startDaemon(this.#command, this.log)
    await this.ready()
  }

  get #runs(): boolean {
    return this.#daemon.exitCode === null && this.#daemon.signalCode === null
  }

  #deleteContainers(): void {
    const root = join(this.#execRoot, 'runtime-runc/moby')
    if (!existsSync(root)) return
    for (const id of readdirSync(root)) {
      execaSync('runc', ['--root', root, 'delete', '--force', id], { reject: false })
    }
  }
}

/** Started, and gone when the test ends. */
export async function docker(t: Test, site: Site, options: DockerOptions = {}): Promise<Docker> {
  const made = new Docker(site, options)
  t.teardown(() => made.remove())
  await made.ready()
  return made
}

function startDaemon([program = '', ...args]: readonly string[], logFile: string) {
  const log = { file: logFile }
  return execa(program, args, { reject: false, stdin: 'ignore', stdout: log, stderr: log })
}

/** A process that was killed closes its sockets after its command line is gone. */
function holdsFiles(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).length > 0
  } catch {
    return false
  }
}

function readArguments(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
