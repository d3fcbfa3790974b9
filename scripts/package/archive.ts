/** The archive of a release: the executable, all files that are installed with it, and what packages are made from. */

import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { execaSync } from 'execa'
import { VERSION } from '../build.ts'
import { type Machine, PROJECT } from './release.ts'

/** What is copied as it is. */
const FILES = [
  ...['README.md', 'SECURITY.md', 'CHANGELOG.md', 'LICENSE', 'install.sh'],
  ...['systemd', 'hooks', 'cdi', 'config', 'runtime', 'debian', 'rpm', 'deploy'],
]

interface Contents {
  machine: Machine
  executable: string
  /** Texts by their path in the archive. */
  texts: Readonly<Record<string, string>>
  date: Date
}

/** Writes the unpacked archive to `directory`, and returns the folder in it. */
export function fillArchive(directory: string, { machine, executable, texts, date }: Contents) {
  const folder = join(directory, `procveil-${VERSION}-linux-${machine.rpm}`)
  mkdirSync(folder, { recursive: true })
  for (const name of FILES) cpSync(join(PROJECT, name), join(folder, name), { recursive: true })
  cpSync(executable, join(folder, 'procveil'))
  chmodSync(join(folder, 'procveil'), 0o755)
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const spec = join(folder, 'rpm/procveil.spec')
  writeFileSync(spec, fillIn(readFileSync(spec, 'utf8'), date))
  writeFileSync(join(folder, 'debian/changelog'), renderDebianChangelog(date))
  return folder
}

/** Packs a folder so that the same files give the same bytes. */
export function pack(
  folder: string,
  archive: string,
  { date, isFast }: { date: Date; isFast: boolean },
): void {
  const tar = archive.replace(/\.gz$/, '')
  execaSync('tar', [
    ...['--create', '--file', tar, '--directory', dirname(folder)],
    ...['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u+rw,a-s'],
    ...['--format=gnu', `--mtime=@${seconds(date)}`, basename(folder)],
  ])
  rmSync(archive, { force: true })
  execaSync('gzip', [isFast ? '-1n' : '-9n', tar])
}

/** The time for SOURCE_DATE_EPOCH: https://reproducible-builds.org/specs/source-date-epoch/. */
export const seconds = (date: Date) => String(date.getTime() / 1000)

/** `%changelog` wants its own form of a date, such as `Sat Nov 28 2026`. */
function fillIn(spec: string, date: Date): string {
  const [day, month, number, year] = date
    .toUTCString()
    .replace(',', '')
    .split(' ')
    .map((_, at, words) => words[[0, 2, 1, 3][at] ?? at])
  return spec
    .replaceAll('@VERSION@', VERSION)
    .replaceAll('@RPM_DATE@', `${day} ${month} ${number} ${year}`)
}

/** deb-changelog(5). */
function renderDebianChangelog(date: Date): string {
  return `\
procveil (${VERSION}) unstable; urgency=medium

  * /usr/share/doc/procveil/changelog.gz says what is new.

 -- The procveil developers <developers@procveil.io>  ${date.toUTCString().replace('GMT', '+0000')}
`
}
