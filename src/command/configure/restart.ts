/** Restarts the daemon of a runtime. */

import { reasonOf } from './run.ts'
import type { Site } from './site.ts'

export function restartDaemon({ run, print }: Site, unit: string): void {
  const ran = run('systemctl', ['restart', unit])
  if (ran.status !== 0) {
    throw new Error(
      `Cannot restart ${unit}: systemctl: ${reasonOf(ran)}; what was written stays, procveil configure --undo takes it back`,
    )
  }
  print(`restarted ${unit}`)
}
