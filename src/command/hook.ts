/**
 * `procveil hook`: what a container runtime runs, once when it has created a container and once when that has
 * stopped. A container must never fail to start because of us: whatever goes wrong is logged and undone, and the
 * exit status is 0 unless `--strict` was given.
 */

import { closeSync, fstatSync, readSync } from 'node:fs'
import { readContainer } from '../container/identity.ts'
import { Registry } from '../container/registry.ts'
import { splitDevice } from '../host/device-number.ts'
import { Host } from '../host/host.ts'
import { attach } from '../mount/overlay.ts'
import { findRootfs } from '../oci/bundle.ts'
import { MAX_STATE_BYTES, parseState, type State } from '../oci/state.ts'
import { FILE_PATHS } from '../proc/paths.ts'
import type { Settings } from '../server/settings.ts'
import { openOrStart } from '../server/start.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'

/** Returns the exit status. */
export function hook(settings: Settings, { strict }: { strict: boolean }): number {
  let log = new Log('hook', undefined)
  try {
    log = new Log('hook', settings.log)
    run(settings, parseState(readStdin()), log)
    return 0
  } catch (error) {
    log.error(error)
    return strict ? 1 : 0
  }
}

function run(settings: Settings, state: State, log: Log): void {
  const registry = new Registry(settings.runDirectory)
  if (state.pid === undefined) {
    registry.forget(state.id)
    log.info(`forgot ${state.id}`)
    return
  }
  const host = new Host('/', systemClock)
  const earlier = registry.find(state.id)
  let container = readContainer(host, state.id, state.pid, findRootfs(state))
  if (earlier?.pid === container.pid && earlier.startTicks === container.startTicks) {
    // Both prestart and createRuntime are set up for this hook: what is bound stays what it is.
    container = { ...container, slot: earlier.slot }
  }
  registry.register(container)
  try {
    const directory = openOrStart(host, settings, `containers/${container.id}`)
    const served = { directory, device: splitDevice(fstatSync(directory).dev) }
    const { bound, present, absent } = attach(host, container, FILE_PATHS, served)
    closeSync(directory)
    log.info(
      `bound ${list(bound)} into ${container.id}; there already: ${list(present)}; no place: ${list(absent)}`,
    )
  } catch (error) {
    if (earlier === undefined) registry.forget(container.id)
    else registry.register(earlier)
    throw error
  }
}

/** Reads to the end, or until there is more than any state can be. */
function readStdin(): string {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= MAX_STATE_BYTES) {
    const chunk = Buffer.allocUnsafe(64 * 1024)
    const size = readSync(0, chunk)
    if (size === 0) break
    chunks.push(chunk.subarray(0, size))
    length += size
  }
  return Buffer.concat(chunks).toString()
}

const list = (names: readonly string[]) => names.join(' ') || 'none'
