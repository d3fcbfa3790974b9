/** The connection of our mount to the kernel, as the watchdog sees it. */

import { spawn } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import type { Host } from '../../host/host.ts'
import { errorCode } from '../../sys/error.ts'
import { Sigio } from '../../sys/sigio.ts'
import { ENVIRONMENT } from '../executable.ts'
import { FuseControl } from './fuse-control.ts'
import type { SharedMount } from './shared-mount.ts'
import type { Watched } from './watchdog.ts'

export class Connection implements Watched {
  readonly #mountPoint: string
  readonly #mount: SharedMount
  readonly #sigio: Sigio
  readonly #control: FuseControl

  /** `arrived` is called once when the next request arrives after `arm`. */
  constructor(host: Host, mountPoint: string, mount: SharedMount, arrived: () => void) {
    this.#mountPoint = mountPoint
    this.#mount = mount
    this.#sigio = new Sigio(mount.fuse, arrived)
    this.#control = new FuseControl(host, mount.minor)
  }

  get isWhole(): boolean {
    return this.#mount.state === 'whole'
  }

  countWaiting(): number | undefined {
    return this.#control.countWaiting()
  }

  /**
   * Has a process of its own call statfs(2): not stat(2), which the kernel answers by itself for as long as it holds
   * attributes. A thread that waits for what a dead server has read keeps the process from ending, killed or not; and where
   * the keeper has not ended, systemd starts no other that could answer.
   */
  async ask(): Promise<void> {
    const error = await statBy(this.#mountPoint).catch(() => statHere(this.#mountPoint))
    // Another mount may lie there by now, which is not ours to judge.
    if (error.endsWith(REFUSED) && this.#mount.state === 'whole') this.#mount.isRefusing = true
  }

  arm(): void {
    this.#sigio.arm()
  }

  disarm(): void {
    this.#sigio.disarm()
  }

  abort(): void {
    this.#control.abort()
  }

  close(): void {
    this.#sigio.close()
    this.#control.close()
  }
}

/** What strerror(3) calls ECONNREFUSED. */
const REFUSED = 'Connection refused'

/** Resolves with what stat(1) complains of. Rejects when it cannot be started. */
function statBy(path: string): Promise<string> {
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const child = spawn('stat', ['-f', path], { env: ENVIRONMENT, stdio: [...stdio] })
  child.unref()
  let complaint = ''
  child.stderr?.on('data', (piece: Buffer) => {
    complaint += piece
  })
  return new Promise((resolve, reject) => {
    child.on('close', () => resolve(complaint.trimEnd()))
    child.on('error', reject)
  })
}

const statHere = (path: string): Promise<string> =>
  statfs(path).then(
    () => '',
    error => (errorCode(error) === 'ECONNREFUSED' ? REFUSED : ''),
  )
