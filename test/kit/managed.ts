/** A service that a service manager starts again whenever it ends, as systemd does, and keeps the mount for. */

import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Test } from 'tap'
// @ts-expect-error: it is plain JavaScript.
import { findBun } from '../../scripts/bun.mjs'
import { retry } from './requirements.ts'
import { signalAll } from './signal-all.ts'
import { type Site, site } from './site.ts'

const MANAGER = fileURLToPath(new URL('service-manager.ts', import.meta.url))

interface Managed {
  here: Site
  /** What has happened so far, a line each. */
  told: () => string[]
  stop: () => Promise<void>
}

interface How {
  /** Without `--prestart`, which would hide what is mounted in the site. */
  prepare?: (here: Site) => Promise<void>
  /** Whether its socket is no file. */
  isAbstract?: boolean
  /** Of the service, before its command. */
  arguments?: readonly string[]
}

/** A service that is started again whenever it ends, and has said that it is ready. */
export async function manage(t: Test, how: How = {}): Promise<Managed> {
  const here = site(t)
  await how.prepare?.(here)
  let text = ''
  const prestart = how.prepare === undefined ? ['--prestart'] : []
  const { arguments: more = [], isAbstract = false } = how
  const command = [here.executable, ...here.options, ...more, 'serve', '--standby', ...prestart]
  const manager = execa(findBun(), [MANAGER, `${isAbstract ? '@' : ''}${here.directory}/notify`], {
    env: { COMMAND: JSON.stringify(command) },
    stdin: 'ignore',
    reject: false,
  })
  manager.stdout.on('data', data => {
    text += data
  })
  const stop = async () => {
    manager.kill('SIGTERM')
    await manager
  }
  t.teardown(stop)
  const told = () => text.split('\n')
  await retry(() => {
    if (!told().includes('stored executable')) throw new Error(`Cannot go on: not ready: ${text}`)
  })
  return { here, told, stop }
}

/** Both at once: a stopped one starts no other. */
export function killBoth(here: Site): boolean {
  const pids = here.servers()
  if (pids.length < 2) return false
  for (const name of ['SIGSTOP', 'SIGKILL'] as const) signalAll(pids, name)
  return true
}
