/**
 * What version 0.2.0 and those before need to know of the kernel: their servers find no requests of the one before.
 */

import { release } from 'node:os'

/** Whether the kernel has FUSE_NOTIFY_RESEND, which came with Linux 6.9. */
export function canResend(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 9)
}
