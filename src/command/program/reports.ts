/** The commands whose output belongs into a report of a problem. */

import type { Command } from 'commander'
import type { CaptureOptions } from '../capture.ts'
import type { DoctorOptions } from '../doctor.ts'
import { containerId, runtimeRoot } from './options.ts'
import type { Run } from './run.ts'

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description(
      'look for what is missing or left over; exit with status 1 when there is a problem',
    )
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(
      run(async (settings, options: DoctorOptions) => {
        const { doctor } = await import('../doctor.ts')
        return doctor(settings, options)
      }),
    )
}

export function addCapture(program: Command, run: Run): void {
  program
    .command('capture')
    .description("save the host and cgroup files that a container's view is made of, for a report")
    .addOption(containerId().makeOptionMandatory())
    .addOption(runtimeRoot())
    .requiredOption('-o, --output <folder>', 'where to; it must be new or empty')
    .action(
      run(async (settings, options: CaptureOptions) => {
        const { capture } = await import('../capture.ts')
        return capture(settings, options)
      }),
    )
}
