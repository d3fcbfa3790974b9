import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A directory that is gone when the test ends. */
export function temporary(t: Test, prefix = 'procveil-test-'): string {
  const directory = mkdtempSync(join(tmpdir(), prefix))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
