/** When a release was made, and for which machines. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../build.ts'

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** The machines that a release is for, as each of those concerned calls them. */
export const MACHINES = [
  { rpm: 'x86_64', deb: 'amd64', npm: 'bun-linux-x64', target: 'bun-linux-x64', node: 'x64' },
  {
    rpm: 'aarch64',
    deb: 'arm64',
    npm: 'bun-linux-aarch64',
    target: 'bun-linux-arm64',
    node: 'arm64',
  },
] as const

export type Machine = (typeof MACHINES)[number]

/** Reads the day of this version from the heading in CHANGELOG.md, such as `## 0.2.0 (2026-11-28)`. */
export function readReleaseDate(): Date {
  const changelog = readFileSync(`${PROJECT}CHANGELOG.md`, 'utf8')
  for (const [, name, day] of changelog.matchAll(/^## (\S+) \((\d{4}-\d\d-\d\d)\)$/gm)) {
    if (name === VERSION) return new Date(`${day}T00:00:00Z`)
  }
  throw new Error(
    `Cannot package version ${VERSION}: CHANGELOG.md has no heading "## ${VERSION} (YYYY-MM-DD)"; add it`,
  )
}
