/** `procveil stop` and `procveil upgrade`: tell the keeper of the mount what to do, and wait for what comes of it. */

import { Host } from '../host/host.ts'
import { checkExecutable } from '../service/check-executable.ts'
import type { Settings } from '../service/default-settings.ts'
import { findKeeper, type Status } from '../service/status.ts'
import { systemClock } from '../sys/clock.ts'
import { sleep } from '../sys/sleep.ts'

/** The service may take this long to stop: hundreds of containers lose their files one after the other. */
const STOP_TIMEOUT_MS = 90_000
/** The service checks the executable itself, too, for 15 s at most, and starts a server of it. */
const UPGRADE_TIMEOUT_MS = 20_000
const LOOK_MS = 10

/** Returns when the service has ended. Throws when no service runs, or when it does not end. */
export function stop(settings: Settings): number {
  const host = new Host('/', systemClock)
  const keeper = requireKeeper(host, settings, 'stop')
  process.kill(keeper.pid, 'SIGTERM')
  const isGone = () => findKeeper(host, settings.runDirectory) === undefined
  if (isWithin(STOP_TIMEOUT_MS, isGone)) return 0
  throw new Error(
    `Cannot stop process ${keeper.pid} within ${STOP_TIMEOUT_MS / 1000} s; see its log`,
  )
}

/** Returns when the service is of the version that is on the disk. Throws when the upgrade was refused. */
export async function upgrade(settings: Settings): Promise<number> {
  const host = new Host('/', systemClock)
  const before = requireKeeper(host, settings, 'upgrade')
  try {
    await checkExecutable(before.executable)
  } catch (cause) {
    throw new Error(
      `Cannot upgrade to ${before.executable}: version ${before.version} goes on; put a working executable there`,
      { cause },
    )
  }
  let now: Status | undefined
  const isNew = () => {
    now = findKeeper(host, settings.runDirectory)
    return now !== undefined && now.sinceMs > before.sinceMs
  }
  const succeeds = () => {
    process.kill(before.pid, 'SIGHUP')
    return isWithin(UPGRADE_TIMEOUT_MS, isNew)
  }
  // Version 0.1.0 gives the executable 5 s, which on a busy machine may be too little at one moment.
  if (!succeeds() && !succeeds()) {
    throw new Error(
      `Cannot see process ${before.pid} go over to ${before.executable} within ${(2 * UPGRADE_TIMEOUT_MS) / 1000} s; see its log`,
    )
  }
  process.stdout.write(`version ${before.version} handed over to ${now?.version}\n`)
  return 0
}

function requireKeeper(host: Host, { runDirectory }: Settings, action: string): Status {
  const keeper = findKeeper(host, runDirectory)
  if (keeper !== undefined) return keeper
  throw new Error(`Cannot ${action} procveil: none serves from ${runDirectory}`)
}

/** Returns whether the condition holds at some moment within that time. */
function isWithin(timeoutMs: number, condition: () => boolean): boolean {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) return false
    sleep(LOOK_MS)
  }
  return true
}
