/** Whether a program that a runtime is told to run can be run. */

import { accessSync, constants, statSync } from 'node:fs'
import { type Host, orUndefined } from '../../host/host.ts'

/** `path` is absolute. A directory is none. */
export function isExecutable(host: Host, path: string): boolean {
  const file = host.path(path.slice(1))
  const found = orUndefined(() => {
    accessSync(file, constants.X_OK)
    return statSync(file)
  })
  return found?.isFile() === true
}
