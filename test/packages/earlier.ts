/** Packages of another version, made as this version's are: earlier ones had none. */

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import type { Test } from 'tap'
import { pack } from '../../scripts/package/archive.ts'
import { makeDebs, makeRpms } from '../../scripts/package/packages.ts'
import { MACHINES, readReleaseDate } from '../../scripts/package/release.ts'
import { temporary } from '../kit/temporary.ts'
import { findPackages, VERSION } from './built.ts'

/** Writes a deb and an rpm with an executable for x86-64, and those that go with them, to `output`. */
export function makePackagesAs(t: Test, version: string, executable: string, output: string): void {
  const work = temporary(t)
  const folder = unpackAs(version, executable, work)
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
  makeDebs(folder, order)
}

/** Unpacks that archive as one of another version, with another executable. Returns the folder. */
export function unpackAs(version: string, executable: string, output: string): string {
  const folder = join(output, `procveil-${version}-linux-x86_64`)
  const unpacked = mkdtempSync(join(output, 'unpacked-'))
  unpackRelease(unpacked)
  renameSync(join(unpacked, `procveil-${VERSION}-linux-x86_64`), folder)
  rmdirSync(unpacked)
  copyFileSync(executable, join(folder, 'procveil'))
  return folder
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
