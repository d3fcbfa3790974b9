/**
 * The executable for arm64, under qemu-user. Which program runs it is said in a table of a user namespace of its own
 * (binfmt_misc, Linux 6.7), so that the machine's own table stays as it is.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { temporary } from '../kit/temporary.ts'
import { findPackages, needsPackages, VERSION } from './built.ts'

t.setTimeout(300_000)

const needed = {
  'qemu-aarch64-static': 'qemu-user-static',
  mmdebstrap: 'mmdebstrap',
  unshare: 'util-linux',
}

/** Debian's own description of the executables: /usr/share/binfmts/qemu-aarch64. */
const FORMAT = [
  ':qemu-aarch64:M::',
  String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:`,
  String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:`,
  '/usr/bin/qemu-aarch64-static:F',
].join('')

const SCRIPT = `
set -e
mount -t binfmt_misc formats $D/formats
cat $D/format >$D/formats/register
mount -t overlay -o lowerdir=$D/libraries/lib:/usr/lib libraries /usr/lib
procveil="$D/deb/usr/libexec/procveil/procveil --mountpoint $D/base/mount --run-dir $D/run"
echo "version: $($procveil --version)"
$procveil serve 2>$D/log &
keeper=$!
i=0
until [ -e $D/base/mount/proc/meminfo ] || [ $i = 60 ]; do sleep 1; i=$((i + 1)); done
echo "MemTotal: $(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' $D/base/mount/proc/meminfo)"
# As long as a server took before it was found hung, several times.
sleep 6
echo "later: $(cat $D/base/mount/proc/uptime)"
echo "replaced: $(grep -c replaced $D/log || true)"
kill -TERM $keeper
wait $keeper || true
echo "mounts: $(grep -c " $D/base" /proc/self/mountinfo || true)"
`

t.test('the executable for arm64 serves a mount', needsPackages(needed), async t => {
  const directory = temporary(t)
  for (const name of ['formats', 'run', 'base', 'deb']) mkdirSync(join(directory, name))
  const [deb = ''] = findPackages('_arm64.deb')
  execaSync('dpkg-deb', ['--extract', deb, join(directory, 'deb')])
  installLibraries(join(directory, 'libraries'))
  writeFileSync(join(directory, 'format'), FORMAT)
  writeFileSync(join(directory, 'script'), SCRIPT)
  const { stdout } = execaSync(
    'unshare',
    ['--user', '--map-root-user', '--mount', '--kill-child', '--fork', 'sh', 'script'],
    { cwd: directory, env: { D: directory }, timeout: 240_000, stderr: 'inherit' },
  )
  const said = new Map(stdout.split('\n').map(line => line.split(': ', 2) as [string, string]))
  t.equal(said.get('version'), `procveil ${VERSION}`)
  const total = /^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  t.equal(said.get('MemTotal'), total)
  t.match(said.get('later'), /^\d+\.\d\d \d+\.\d\d$/, 'the server was not taken for a hung one')
  t.equal(said.get('replaced'), '0')
  t.equal(said.get('mounts'), '0', 'at SIGTERM it takes its mount away')
  t.notOk(existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64'), 'nothing is registered here')
})

/** The loader and the libraries that the executable names, unpacked from Debian's packages. */
function installLibraries(directory: string): void {
  const site = execaSync('apt-get', [
    ...['indextargets', '--format', '$(SITE)'],
    ...['Created-By: Packages', 'Codename: bookworm'],
  ])
  const mirror = site.stdout.split('\n')[0] || 'http://deb.debian.org/debian'
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  execaSync('mmdebstrap', [
    ...['--mode=root', '--variant=extract', '--architectures=arm64', '--include=libc6'],
    ...['--components=main', 'bookworm', directory],
    `deb [signed-by=${keyring}] ${mirror} bookworm main`,
  ])
}
