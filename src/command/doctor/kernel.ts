/** Checks what the kernel must have: /dev/fuse, and the system calls that bind files into a container. */

import { closeSync, openSync } from 'node:fs'
import type { Host } from '../../host/host.ts'
import { isFrom } from '../../host/kernel-release.ts'
import { errorCode } from '../../sys/error.ts'
import { about, type Finding } from './finding.ts'

/** The first Linux that has openat2(2), the youngest of the calls that are needed. Tested is from 5.10 on. */
const NEEDED = [5, 6] as const

export function checkKernel(host: Host): Finding[] {
  const release = host.tryRead('proc/sys/kernel/osrelease')?.trim() ?? ''
  return [checkRelease(release), checkFuse(host)]
}

export function checkRelease(release: string): Finding {
  const { ok, problem } = about('kernel')
  const text = `Linux ${release}`
  if (isFrom(release, NEEDED)) return ok(text)
  return problem(
    `${text} has no openat2(2), with which files are bound into containers`,
    'use Linux 5.10 or newer',
  )
}

/** Opening /dev/fuse has no effect: a connection begins with a mount. */
export function checkFuse(host: Host): Finding {
  const { ok, problem } = about('fuse')
  try {
    closeSync(openSync(host.path('dev/fuse'), 'r+'))
    return ok('/dev/fuse can be opened')
  } catch (error) {
    const code = errorCode(error) ?? 'an error'
    const isRefused = code === 'EACCES' || code === 'EPERM'
    return problem(
      `/dev/fuse cannot be opened: ${code}`,
      isRefused
        ? 'run this as root on the host; in a container its device cgroup refuses it'
        : 'modprobe fuse, and have it loaded at boot: echo fuse > /etc/modules-load.d/fuse.conf',
    )
  }
}

/** Binding needs CAP_SYS_ADMIN in the host's namespaces, and so does reading what others have mounted. */
export function checkPlace(host: Host, userId: number | undefined): Finding[] {
  const { ok, warning, problem } = about('place')
  if (userId !== 0) {
    return [problem('this is not root: most of what follows cannot be seen', 'run it as root')]
  }
  const [own, first] = ['self', '1'].map(pid => host.tryReadLink(`proc/${pid}/ns/mnt`))
  if (own === first) return [ok("root, in the host's mount namespace")]
  // Security modules may hide the namespace of process 1.
  if (first === undefined) return [ok('root')]
  return [
    warning(
      "this is another mount namespace than that of process 1: mounts here may not be the host's",
      'run it on the host, such as with nsenter --target 1 --mount',
    ),
  ]
}
