/** Whether a worker sees the host as who asks does: only where it is in the same namespaces. */

import { linkOf } from '../sys/bare-process.ts'

const NAMES = ['mnt', 'pid', 'user'] as const

/** Those of this process, as the kernel names them: `mnt:[4026531841]`. Throws a SysError where there is no procfs. */
export const ownNamespaces = () => NAMES.map(name => linkOf(`/proc/self/ns/${name}`))
