/**
 * `procveil hook`: what a container runtime runs, once when it has created a container and once when that has
 * stopped. A container must never fail to start because of us: whatever goes wrong is logged and undone, and the
 * exit status is 0 unless `--strict` was given.
 */

import { readSync } from 'node:fs'
import { readContainer } from '../container/identity.ts'
import { Registry } from '../container/registry.ts'
import { Host } from '../host/host.ts'
import { readOptions } from '../oci/annotations.ts'
import { findRootfs } from '../oci/bundle.ts'
import { MAX_STATE_BYTES, parseState, type State } from '../oci/state.ts'
import { DEFAULT_OPTIONS, type Options } from '../proc/options.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { errorCode } from '../sys/error.ts'
import { Log } from '../sys/log.ts'
import { waitReadable } from '../sys/poll.ts'
import { bind } from './containers/bind.ts'
import { withContainerLock } from './containers/container-lock.ts'
import { withoutForeignCgroup } from './containers/foreign-cgroup.ts'

const STDIN_TIMEOUT_MS = 5000
const EAGAIN = 'EAGAIN'

/** Returns the exit status. */
export function hook(settings: Settings, { strict }: { strict: boolean }): number {
  let log = new Log('hook', undefined)
  try {
    log = new Log('hook', settings.log)
    const state = parseState(readStdin())
    withContainerLock(settings, state.id, () => run(settings, state, strict, log))
    return 0
  } catch (error) {
    log.error(error)
    return strict ? 1 : 0
  }
}

function run(settings: Settings, state: State, strict: boolean, log: Log): void {
  const registry = new Registry(settings.runDirectory)
  const { id, pid } = state
  if (pid === undefined) {
    registry.forget(id)
    log.info(`forgot ${id}`)
    return
  }
  /** An option that cannot be used costs the container that option alone. */
  const refuse = (error: unknown) => {
    if (strict) throw error
    log.error(error)
  }
  const host = new Host('/', systemClock)
  const defaults = tryReadDefaults(settings, refuse)
  const options = readOptions(state.annotations, refuse)
  const found = readContainer(host, id, { pid, rootfs: findRootfs(state), options })
  const container = withoutForeignCgroup(found, refuse)
  const { bound, present, absent } = bind({ host, settings, registry, defaults }, container)
  log.info(
    `bound ${list(bound)} into ${id}; there already: ${list(present)}; no place: ${list(absent)}`,
  )
}

/**
 * Reads the defaults. A server that runs has read its own already: a file that was damaged since need not cost a
 * container its view.
 */
function tryReadDefaults(settings: Settings, refuse: (error: unknown) => void): Options {
  try {
    return readDefaults(settings)
  } catch (error) {
    refuse(error)
    return DEFAULT_OPTIONS
  }
}

/** Reads to the end, or until there is more than any state can be. */
function readStdin(): string {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= MAX_STATE_BYTES) {
    const chunk = Buffer.allocUnsafe(64 * 1024)
    const size = readSome(chunk)
    if (size === 0) break
    chunks.push(chunk.subarray(0, size))
    length += size
  }
  return Buffer.concat(chunks).toString()
}

/** Waits where there is nothing to read yet: the caller may have made our stdin non-blocking. */
function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk)
    } catch (cause) {
      const nothingYet = errorCode(cause) === EAGAIN
      if (nothingYet && waitReadable(0, STDIN_TIMEOUT_MS) !== 0) continue
      throw new Error('Cannot read the container state from stdin', { cause })
    }
  }
}

const list = (names: readonly string[]) => names.join(' ') || 'none'
