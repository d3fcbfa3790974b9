/** What `npm run package` has made, for tests of it. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../../scripts/build.ts'
import { PROJECT } from '../../scripts/package/release.ts'
import { isInPath } from '../kit/requirements.ts'

export { PROJECT, VERSION }
export const PACKAGES = join(PROJECT, 'dist/packages')

/** Options for `t.test`, as `needs` has them. `programs` are those besides root, with their Debian packages. */
export function needsPackages(programs: Readonly<Record<string, string>>): { skip?: string } {
  const missing = findMissing(programs)
  if (missing === undefined) return {}
  if (process.env.PROCVEIL_NO_SKIP) throw new Error(`Cannot test the packages: ${missing}`)
  return { skip: missing }
}

function findMissing(programs: Readonly<Record<string, string>>): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (process.arch !== 'x64') return 'needs an x86-64 machine'
  for (const [program, name] of Object.entries(programs)) {
    if (!isInPath(program)) return `needs ${program}: apt-get install ${name}`
  }
  const isBuilt = existsSync(join(PACKAGES, 'SHA256SUMS'))
  return isBuilt ? undefined : 'needs dist/packages: npm run package -- --fast'
}

/** Paths of the packages whose names end in `end`, such as `.x86_64.rpm`. Throws when there is none. */
export function findPackages(end: string): string[] {
  const found = readdirSync(PACKAGES).filter(name => name.endsWith(end))
  if (found.length === 0) throw new Error(`Cannot find a package ${end} in ${PACKAGES}`)
  return found.sort().map(name => join(PACKAGES, name))
}
