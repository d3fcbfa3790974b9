/** The directories of sysfs that a container sees instead of the host's, and which of them a path is in. */

import { CPU_DIRECTORY } from './cpu.ts'
import type { SysDirectory } from './directory.ts'
import { NODE_DIRECTORY } from './node.ts'

export const SYS_DIRECTORIES: readonly SysDirectory[] = [CPU_DIRECTORY, NODE_DIRECTORY]

/** The directory that the file system has at `path`, or above it, with the part of the path below it. */
export function findSysDirectory(
  path: string,
): { directory: SysDirectory; below: string } | undefined {
  for (const directory of SYS_DIRECTORIES) {
    if (path === directory.path) return { directory, below: '' }
    if (path.startsWith(`${directory.path}/`)) {
      return { directory, below: path.slice(directory.path.length + 1) }
    }
  }
  return undefined
}
