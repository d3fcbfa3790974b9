/** `procveil man`: prints a page of the manual, as packages install it. */

import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { renderProcveil } from './manual/procveil.ts'
import { renderProcveilConfig } from './manual/procveil-config.ts'
import { renderProcveilRuntime } from './manual/procveil-runtime.ts'
import { VERSION } from './version.ts'

/** The names of the files that the pages are installed as. */
export type Page = 'procveil.8' | 'procveil-runtime.8' | 'procveil-config.5'

/** The day of this release in CHANGELOG.md, not of the build: one version has one text. */
const DATE = 'November 28, 2026'

/** Returns the exit status. */
export function man(program: Command, page: Page): number {
  writeFileSync(1, renderPage(program, page))
  return 0
}

export function renderPage(program: Command, page: Page): string {
  const release = { version: VERSION, date: DATE }
  if (page === 'procveil.8') return renderProcveil(program, release)
  return page === 'procveil-runtime.8'
    ? renderProcveilRuntime(release)
    : renderProcveilConfig(release)
}
