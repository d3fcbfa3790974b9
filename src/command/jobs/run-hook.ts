/** The job `hook`: what a hook is for, done for a container that a runtime has just created, or that has stopped. */

import { readContainer } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import { Host } from '../../host/host.ts'
import { readOptions, wantsFiles } from '../../oci/annotations.ts'
import { findRootfs, masksPaths, readMasksBelow } from '../../oci/bundle.ts'
import { parseState, type State } from '../../oci/state.ts'
import { DEFAULT_OPTIONS, type Options } from '../../proc/options.ts'
import { DIRECTORY_PATHS } from '../../proc/paths.ts'
import { readDefaults } from '../../service/config.ts'
import type { Settings } from '../../service/default-settings.ts'
import { countHookFailure, reasonOf } from '../../service/hook-failures.ts'
import { systemClock } from '../../sys/clock.ts'
import { complaintOf, Log, passOn } from '../../sys/log.ts'
import { Answered } from '../../worker/answered.ts'
import { bind } from '../containers/bind.ts'
import { withContainerLock } from '../containers/container-lock.ts'
import { withoutForeignCgroup } from '../containers/foreign-cgroup.ts'
import { forgetEnded } from '../containers/forget-ended.ts'
import { withoutSpareUnderMasks } from '../containers/spare-under-masks.ts'
import { findDevices } from './devices.ts'

export interface HookInput {
  settings: Settings
  strict: boolean
  /** What the runtime wrote to the hook's stdin. */
  state: string
}

export interface HookResult {
  /** The exit status. */
  status: number
  /** What goes to stderr. */
  complaints: string
}

/** Never throws: whatever goes wrong is logged and undone, and the status is 0 unless `strict`. */
export function runHook(input: HookInput): HookResult {
  const { result, afterwards } = beginHook(input)
  afterwards()
  return result
}

/** The same, but what the container can wait for is left to `afterwards`, which never throws. */
export function beginHook({ settings, strict, state: text }: HookInput): Answered<HookResult> {
  const complaints: string[] = []
  const collect = (error: unknown) => void complaints.push(complaintOf(error))
  const log = new Log('hook', settings.log, collect)
  let status = 0
  let afterwards: (() => void) | undefined
  try {
    const state = parseState(text)
    afterwards = explainShortage(state.id, () =>
      withContainerLock(settings, state.id, () => run(settings, state, strict, log)),
    )
  } catch (error) {
    log.error(error)
    countHookFailure(settings.runDirectory, reasonOf(error))
    status = strict ? 1 : 0
  }
  const result = { status, complaints: complaints.splice(0).join('') }
  return new Answered(result, () => {
    afterwards?.()
    passOn(complaints.join(''))
    log.close()
  })
}

/** Where the system has no room the container is only late: its files can be put into it when there is some. */
function explainShortage<T>(id: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (reasonOf(cause) === 'other') throw cause
    const what = `Cannot give ${id} its files, and it sees the host's until procveil remount --all`
    throw new Error(what, { cause })
  }
}

/** Returns what is left to do when others may work on the container again: it may hang, and never throws. */
function run(
  settings: Settings,
  state: State,
  strict: boolean,
  log: Log,
): (() => void) | undefined {
  const registry = new Registry(settings.runDirectory)
  const { id, pid } = state
  if (pid === undefined) {
    registry.forget(id)
    log.info(`forgot ${id}`)
    return undefined
  }
  if (wantsFiles(key => state.annotations[key]) === false) {
    log.info(`left ${id} alone: its annotations say so`)
    return undefined
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
  const container = withoutSpareUnderMasks(withoutForeignCgroup(found, refuse), defaults, () =>
    masksPaths(state),
  )
  const masks = readMasksBelow(state, DIRECTORY_PATHS)
  const context = { host, settings, registry, defaults, spare: 'always', refuse, masks } as const
  const { bound, present, absent, spare } = bind(context, container)
  log.info(
    `bound ${list(bound)} into ${id}; there already: ${list(present)}; no place: ${list(absent)}; spare mounts: ${spare}`,
  )
  return () => {
    // The files are bound: what is missing is found when the container reads it.
    try {
      findDevices(host, settings.runDirectory, container)
    } catch (error) {
      log.error(new Error(`Cannot find the devices of ${id}`, { cause: error }))
    }
    forgetEnded(host, settings, registry, log)
  }
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

const list = (names: readonly string[]) => names.join(' ') || 'none'
