/**
 * What version 0.2.0 and those before need to know of the kernel: their servers find no requests of the one before.
 */

import { release } from 'node:os'
import { isFrom } from '../host/kernel-release.ts'

/** Whether the kernel has FUSE_NOTIFY_RESEND, which came with Linux 6.9. */
export const canResend = () => isFrom(release(), [6, 9])
