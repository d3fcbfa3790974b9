/** Executables of earlier versions, built from this repository's history. */

import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import type { Test } from 'tap'
import { temporary } from './temporary.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** The commit that each version was built from. */
const RELEASES = { '0.1.0': 'f0a2c4bdb271b9f30d034459812d5d1ff2ab2b4f' } as const

/** Options for `t.test`, as `needs` has them. */
export function needsRelease(version: keyof typeof RELEASES): { skip?: string } {
  const commit = `${RELEASES[version]}^{commit}`
  const { exitCode } = execaSync('git', ['cat-file', '-e', commit], { cwd: PROJECT, reject: false })
  if (exitCode === 0) return {}
  const reason = `needs the history of ${version}: git fetch --unshallow`
  if (process.env.PROCVEIL_NO_SKIP) throw new Error(`Cannot build an earlier version: ${reason}`)
  return { skip: reason }
}

/** Path of its executable; gone when the test ends. */
export function buildRelease(t: Test, version: keyof typeof RELEASES): string {
  const directory = temporary(t, 'procveil-release-')
  const archive = join(directory, 'source.tar')
  const parts = ['src', 'scripts', 'package.json']
  execaSync('git', ['archive', '--output', archive, RELEASES[version], ...parts], { cwd: PROJECT })
  execaSync('tar', ['--extract', '--file', archive, '--directory', directory])
  symlinkSync(join(PROJECT, 'node_modules'), join(directory, 'node_modules'))
  mkdirSync(join(directory, 'dist'))
  execaSync(process.execPath, ['scripts/build.mjs'], { cwd: directory })
  return join(directory, 'dist/procveil')
}

/** Path of an executable of these very sources, which says that it is another version; gone when the test ends. */
export function buildAs(t: Test, version: string): string {
  const directory = temporary(t, 'procveil-release-')
  for (const part of ['src', 'scripts', 'test/kit']) {
    cpSync(join(PROJECT, part), join(directory, part), { recursive: true })
  }
  const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...manifest, version }))
  symlinkSync(join(PROJECT, 'node_modules'), join(directory, 'node_modules'))
  execaSync(process.execPath, ['scripts/bun.mjs', 'scripts/build.ts'], { cwd: directory })
  return join(directory, 'dist/procveil')
}
