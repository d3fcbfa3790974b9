/** Executables that are put in the place of the one that a service runs. */

import { chmodSync, copyFileSync, renameSync } from 'node:fs'
import type { Test } from 'tap'
import { EXECUTABLE } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** As a package manager does it: the file that runs is left as it is. */
export function install(here: Site, write: (path: string) => void): void {
  const temporary = `${here.executable}.new`
  write(temporary)
  chmodSync(temporary, 0o755)
  renameSync(temporary, here.executable)
}

export const installCopy = (here: Site, source = EXECUTABLE) =>
  install(here, path => copyFileSync(source, path))

/** A site whose executable is a copy of its own. */
export function ownSite(t: Test, source = EXECUTABLE): Site {
  const made = site(t)
  made.executable = `${made.directory}/procveil`
  installCopy(made, source)
  return made
}
