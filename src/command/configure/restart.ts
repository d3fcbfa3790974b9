/** Restarts the daemon of a runtime, or has it read its configuration where that is enough. */

import { reasonOf } from './run.ts'
import type { Site } from './site.ts'

export function restartDaemon(
  { run, print }: Site,
  unit: string,
  verb: 'restart' | 'reload' | 'reload-or-restart' = 'restart',
): void {
  const ran = run('systemctl', [verb, unit])
  if (ran.status !== 0) {
    throw new Error(
      `Cannot ${verb} ${unit}: systemctl: ${reasonOf(ran)}; what was written stays, procveil configure --undo takes it back`,
    )
  }
  print(`${verb === 'restart' ? 'restarted' : 'reloaded'} ${unit}`)
}
