/** Which programs are installed on the host. */

import type { Host } from '../../../host/host.ts'

const PROGRAM_DIRECTORIES = [
  'usr/bin',
  'usr/sbin',
  'usr/local/bin',
  'usr/local/sbin',
  'usr/libexec',
]

export const isInstalled = (host: Host, program: string): boolean =>
  PROGRAM_DIRECTORIES.some(directory => host.has(`${directory}/${program}`))
