/** The command that has container runtimes run the hook. */

import { Argument, type Command, Option } from 'commander'
import { RUNTIMES } from '../configure/names.ts'
import type { ConfigureOptions } from '../configure.ts'
import type { Run } from './run.ts'

export function addRuntimeCommands(program: Command, run: Run): void {
  program
    .command('configure')
    .description('write what a runtime needs to give its containers the hook, or take it back')
    .addArgument(new Argument('[runtime]').choices(RUNTIMES))
    .option('--dry-run', 'print what would change, and change nothing')
    .option('--undo', 'take it back, of all runtimes when none is named')
    .addOption(
      new Option(
        '--as-runtime',
        'make procveil-runtime a runtime named procveil; docker and containerd only',
      ).conflicts('undo'),
    )
    .addOption(
      new Option(
        '--set-as-default',
        'make it the runtime of all pods, or of all containers of docker; containerd and docker only',
      ).conflicts('undo'),
    )
    .option('--restart', 'restart the daemon that has to read it')
    .addOption(
      new Option(
        '--runtime-config <file>',
        "another path of the runtime's configuration",
      ).conflicts('undo'),
    )
    .action(
      run(async (_settings, runtime: string | undefined, options: ConfigureOptions) => {
        const { configure } = await import('../configure.ts')
        return configure(runtime, options)
      }),
    )
}
