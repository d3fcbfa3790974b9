/** Packages of an earlier version, made as this version's are: there were none then. */

import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execaSync } from 'execa'
import type { Test } from 'tap'
import { pack } from '../../scripts/package/archive.ts'
import { makeDebs, makeRpms } from '../../scripts/package/packages.ts'
import { MACHINES, readReleaseDate } from '../../scripts/package/release.ts'
import { buildRelease } from '../kit/release.ts'
import { temporary } from '../kit/temporary.ts'
import { findPackages, VERSION } from './built.ts'

/** Writes a deb and an rpm for x86-64, those that go with them, and the unpacked archive to `output`. */
export function makeEarlierPackages(t: Test, version: '0.1.0', output: string): void {
  const work = temporary(t)
  unpackRelease(work)
  const folder = join(work, `procveil-${version}-linux-x86_64`)
  renameSync(join(work, `procveil-${VERSION}-linux-x86_64`), folder)
  copyFileSync(buildRelease(t, version), join(folder, 'procveil'))
  for (const name of ['rpm/procveil.spec', 'debian/changelog']) {
    const text = readFileSync(join(folder, name), 'utf8')
    writeFileSync(join(folder, name), text.replaceAll(VERSION, version))
  }
  const date = readReleaseDate()
  const earlier = join(work, `procveil-${version}-linux-x86_64.tar.gz`)
  pack(folder, earlier, { date, isFast: true })
  mkdirSync(output, { recursive: true })
  const order = { machine: MACHINES[0], work, output, date, withCommon: true, isFast: true }
  makeRpms(earlier, order)
  cpSync(folder, join(output, basename(folder)), { recursive: true })
  makeDebs(folder, order)
}

/** Unpacks the archive of this version for x86-64 into `output`. */
export function unpackRelease(output: string): void {
  const [archive = ''] = findPackages('-linux-x86_64.tar.gz')
  execaSync('tar', ['--extract', '--file', archive, '--directory', output])
}

/** Copies the packages of this version for x86-64 to `output`. */
export function copyPackages(output: string): void {
  for (const end of ['_amd64.deb', '_all.deb', '.x86_64.rpm', '.noarch.rpm']) {
    for (const path of findPackages(end)) cpSync(path, join(output, path.split('/').at(-1) ?? ''))
  }
}
