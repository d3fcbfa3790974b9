/** Makes the rpm and deb packages from the archive of a release. */

import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execaSync } from 'execa'
import { seconds } from './archive.ts'
import type { Machine } from './release.ts'

/** The programs that make packages, with the Debian packages that have them. */
export const PACKAGERS = { rpmbuild: 'rpm', 'dpkg-buildpackage': 'dpkg-dev', dh: 'debhelper' }

interface Order {
  machine: Machine
  /** Where packages are built. */
  work: string
  /** Where they are put. */
  output: string
  date: Date
  /** Whether the packages that are the same for all machines are made, too. */
  withCommon: boolean
  /** Whether speed counts for more than size. */
  isFast: boolean
}

/** `archive` is a tar.gz that has rpm/procveil.spec in it. */
export function makeRpms(
  archive: string,
  { machine, work, output, date, withCommon, isFast }: Order,
): void {
  const top = join(work, `rpm-${machine.rpm}`)
  mkdirSync(top, { recursive: true })
  // rpmbuild takes no path with a blank in it.
  const source = join(top, basename(archive))
  cpSync(archive, source)
  execaSync(
    'rpmbuild',
    [
      ...['-tb', '--target', machine.rpm, '--nodeps', '--define', `_topdir ${top}`],
      ...(isFast ? ['--define', 'compression 1'] : []),
      source,
    ],
    { env: environment(date) },
  )
  for (const name of readdirSync(join(top, 'RPMS'))) {
    if (name === 'noarch' && !withCommon) continue
    for (const file of readdirSync(join(top, 'RPMS', name))) {
      cpSync(join(top, 'RPMS', name, file), join(output, file))
    }
  }
}

/** `folder` is the unpacked archive, which has debian/ in it. */
export function makeDebs(
  folder: string,
  { machine, work, output, date, withCommon, isFast }: Order,
): void {
  const top = join(work, `deb-${machine.deb}`)
  cpSync(folder, join(top, 'source'), { recursive: true })
  execaSync(
    'dpkg-buildpackage',
    [withCommon ? '-b' : '-B', '-a', machine.deb, '-d', '-us', '-uc', '-ui'],
    {
      cwd: join(top, 'source'),
      // dpkg-deb(1), ENVIRONMENT.
      env: {
        ...environment(date),
        ...(isFast ? { DPKG_DEB_COMPRESSOR_TYPE: 'gzip', DPKG_DEB_COMPRESSOR_LEVEL: '1' } : {}),
      },
    },
  )
  for (const file of readdirSync(top).filter(name => name.endsWith('.deb'))) {
    cpSync(join(top, file), join(output, file))
  }
}

const environment = (date: Date) => ({
  SOURCE_DATE_EPOCH: seconds(date),
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
})
