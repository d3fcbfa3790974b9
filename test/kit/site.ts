/** A procveil of a test's own: mount point, run directory and log in a temporary folder, all gone afterwards. */

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import type { Test } from 'tap'
import { eachMount } from '../../src/host/mountinfo.ts'
import { EXECUTABLE, retry } from './requirements.ts'
import { signalAll } from './signal-all.ts'

/** Commands of a shell, after which no runtime's usual directory can be seen. */
export const COVERS = ['/run', '/var/lib', '/home'].map(path => `mount -t tmpfs tmpfs ${path}`)

export class Site {
  readonly directory = mkdtempSync(join(tmpdir(), 'procveil-e2e-'))
  readonly mountPoint = join(this.directory, 'mount')
  readonly runDirectory = join(this.directory, 'run')
  readonly log = join(this.directory, 'log')
  /** A test may give it one of its own. */
  executable = EXECUTABLE

  /** Options that stand before the command. */
  get options(): string[] {
    return ['--mountpoint', this.mountPoint, '--run-dir', this.runDirectory, '--log', this.log]
  }

  /** Runs the executable; never throws for its exit status. */
  procveil(args: readonly string[], input = '') {
    return execa(this.executable, [...this.options, ...args], {
      input,
      reject: false,
      timeout: 30_000,
    })
  }

  hook(state: unknown, ...options: string[]) {
    return this.procveil(['hook', ...options], JSON.stringify(state))
  }

  /**
   * A command that may be about all containers of the machine: it sees no runtime's usual directories, and so none
   * but those that it is told of. The service must run already: what it started would be in this namespace.
   */
  toolkit(...args: string[]) {
    return this.toolkitAfter([], ...args)
  }

  /** The same after these commands of a shell, whose mounts only the command sees. */
  async toolkitAfter(prepare: readonly string[], ...args: string[]) {
    await this.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
    return this.covered(prepare, ...args)
  }

  /** The same for a command that starts nothing: the service is left as it is. */
  covered(prepare: readonly string[], ...args: string[]) {
    const script = [...COVERS, ...prepare, 'exec "$@"'].join(' && ')
    const command = [this.executable, ...this.options, ...args]
    const options = { reject: false, timeout: 30_000 } as const
    return execa('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command], options)
  }

  /** A node of /dev/fuse that anybody may open: not every machine lets everybody open its own. */
  fuseDevice(): string {
    const path = join(this.directory, 'fuse')
    if (!existsSync(path)) {
      execaSync('mknod', [path, 'c', '10', '229'])
      chmodSync(path, 0o666)
    }
    return path
  }

  readLog(): string {
    try {
      return readFileSync(this.log, 'utf8')
    } catch {
      return ''
    }
  }

  registered(): string[] {
    try {
      return readdirSync(join(this.runDirectory, 'containers'))
    } catch {
      return []
    }
  }

  /** The processes of ours that work here, whatever they do. */
  processes(): { pid: number; args: string[] }[] {
    return readdirSync('/proc')
      .map(Number)
      .filter(pid => pid > 0 && pid !== process.pid)
      .map(pid => ({ pid, args: argumentsOf(pid) }))
      .filter(({ args }) => args[0]?.endsWith('procveil') && args.includes(this.runDirectory))
  }

  /** Pids of the processes that serve here. */
  servers(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter(pid => pid > 0 && pid !== process.pid && this.#isServer(pid))
  }

  /** The pids of workers. */
  workers(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter(pid => pid > 0 && argumentsOf(pid).includes(this.runDirectory))
      .filter(pid => argumentsOf(pid).includes('worker'))
  }

  /** As the kernel does for want of memory: both at once, since each would start the other again. */
  async killServers(pids = this.servers()): Promise<void> {
    signalAll(pids, 'SIGSTOP')
    // A service that was just started heals containers, by a process that would start it again.
    const healing = this.processes().filter(({ args }) => args.includes('remount'))
    signalAll([...pids, ...healing.map(({ pid }) => pid)], 'SIGKILL')
    await retry(() => {
      const left = this.servers().filter(pid => pids.includes(pid))
      if (left.length > 0) throw new Error('Cannot go on: a server is left')
    })
  }

  /** Of the `serve` or the `server` process, if there is one at the moment. */
  find(command: 'serve' | 'server'): number | undefined {
    return this.servers().find(pid => argumentsOf(pid).includes(command))
  }

  #isServer(pid: number): boolean {
    const args = argumentsOf(pid)
    return args.includes(this.runDirectory) && (args.includes('serve') || args.includes('server'))
  }

  /** Mounts of the host that lie in this site or are of our kind and device. */
  hostMounts(): string[] {
    const found: string[] = []
    eachMount(readFileSync('/proc/self/mountinfo', 'utf8'), mount => {
      if (mount.mountPoint.startsWith(this.directory)) found.push(mount.mountPoint)
    })
    return found
  }

  /** Ends all that was started here, and waits until it is gone. */
  async remove(): Promise<void> {
    signalAll(this.servers(), 'SIGTERM')
    await retry(() => {
      for (const mountPoint of this.hostMounts().reverse()) {
        execaSync('umount', ['-l', mountPoint], { reject: false })
      }
      const left = [...this.servers(), ...this.hostMounts()]
      if (left.length > 0) throw new Error(`Cannot clean up: ${left.join(' ')} is left`)
    })
    rmSync(this.directory, { recursive: true })
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

export function site(t: Test): Site {
  const made = new Site()
  t.teardown(() => made.remove())
  return made
}
