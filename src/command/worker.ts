/** `procveil worker`: a process that does what may hang, for another process of ours that goes on without it then. */

import { Host } from '../host/host.ts'
import type { Answer } from '../mount/ask.ts'
import { isAnswering } from '../mount/served.ts'
import { findClaims, findUserDirectories } from '../runtimes/running.ts'
import type { Settings } from '../service/default-settings.ts'
import { resolveSettings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { endWithParent } from '../sys/process.ts'
import { collectDevices, type Init } from '../view/devices.ts'
import { runWorker } from '../worker/run-worker.ts'
import type { FindInput } from './containers/find-running.ts'
import { findDevices } from './jobs/devices.ts'
import { meet } from './jobs/meet.ts'
import { attach, detach } from './jobs/rebind.ts'
import { beginHook, type HookInput } from './jobs/run-hook.ts'

/** Returns the exit status. */
export function worker({ runDirectory }: Settings): number {
  const host = new Host('/', systemClock)
  endWithParent()
  runWorker({
    hook: (input: HookInput) => beginHook({ ...input, settings: resolveSettings(input.settings) }),
    attach,
    detach,
    find: (input: FindInput) =>
      'users' in input ? findUserDirectories(host) : findClaims(host, input.searches),
    meet,
    ask: (path: string): Answer => (isAnswering(path) ? 'answers' : 'gone'),
    devices: (init: Init) => findDevices(host, runDirectory, init),
    'show-devices': (init: Init) => collectDevices(host, init),
  })
  return 0
}
