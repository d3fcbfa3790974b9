/** A command within the root of another Debian suite: that of a guest's image, at this machine's speed, on its kernel. */

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import { EXECUTABLE } from './requirements.ts'

const BUILD_IMAGE = fileURLToPath(new URL('../vm/build-image', import.meta.url))

/** Directories of this machine that the command sees in their place: also the temporary ones of tests in /dev/shm. */
const SHARED = ['/proc', '/sys', '/dev', '/tmp', dirname(EXECUTABLE)]

/**
 * Returns what is to stand before the command. Its mounts are of a namespace of its own: all of them go when its last
 * process ends. What it writes elsewhere than in `SHARED` is in memory.
 */
export function withinSuite(suite: string, directory: string): string[] {
  const image = execaSync(BUILD_IMAGE, [suite], { stderr: 'inherit' }).stdout
  const at = join(directory, suite)
  mkdirSync(at)
  const script = [
    'set -e',
    `mount -t tmpfs none ${at}`,
    `mkdir ${at}/lower ${at}/upper ${at}/work ${at}/root`,
    `mount -o loop,ro ${image}/root.img ${at}/lower`,
    `mount -t overlay -o lowerdir=${at}/lower,upperdir=${at}/upper,workdir=${at}/work overlay ${at}/root`,
    `mount -t tmpfs -o mode=755 none ${at}/root/run`,
    ...SHARED.flatMap(path => [
      `mkdir -p ${at}/root${path}`,
      `mount --rbind ${path} ${at}/root${path}`,
    ]),
    `exec chroot ${at}/root "$@"`,
  ]
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script.join('\n'), 'sh']
}
