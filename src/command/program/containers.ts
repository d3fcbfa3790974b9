/** The commands that put files into containers, take them out, and print what containers see. */

import { type Command, Option } from 'commander'
import type { DiffOptions } from '../diff.ts'
import type { PsOptions } from '../ps.ts'
import type { RemountOptions } from '../remount.ts'
import type { ShowOptions } from '../show.ts'
import type { WatchOptions } from '../watch.ts'
import { containerId, runtimeRoot } from './options.ts'
import type { Run } from './run.ts'

export function addContainerCommands(program: Command, run: Run): void {
  for (const [name, alias, description] of [
    ['remount', 'attach', 'put the files into running containers, hooked or not'],
    ['umount', 'detach', 'take the files out of running containers'],
  ] as const) {
    program
      .command(name)
      .alias(alias)
      .description(description)
      .option('-a, --all', 'all containers')
      .option('-c, --container-id <id>', 'one container: its id, the beginning of it, or its name')
      .addOption(runtimeRoot())
      .option('--json', 'print what was done in JSON')
      .addOption(new Option('--registered').hideHelp())
      .addOption(new Option('--missed').hideHelp())
      .action(
        run(async (settings, options: RemountOptions) => {
          const commands = await import('../remount.ts')
          return commands[name](settings, options)
        }),
      )
  }

  program
    .command('watch')
    .description('put the files into containers as they start, and forget those that end')
    .addOption(runtimeRoot())
    .addOption(new Option('--of-service').hideHelp())
    .action(
      run(async (settings, options: WatchOptions) => {
        const { watch } = await import('../watch.ts')
        return watch(settings, options)
      }),
    )

  program
    .command('show')
    .description('print what a container sees in a file, such as meminfo or pressure/cpu')
    .argument('[file]')
    .addOption(containerId())
    .addOption(runtimeRoot())
    .option('--all-files', 'print all files')
    .option('--from <folder>', 'a captured machine instead of this one')
    .action(
      run(async (settings, file: string | undefined, options: ShowOptions) => {
        const { show } = await import('../show.ts')
        return show(settings, file, options)
      }),
    )

  program
    .command('ps')
    .description('list the containers that run here, their limits, and whose files they see')
    .option('--watch', 'show it again every 2 seconds until interrupted')
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(
      run(async (settings, options: PsOptions) => {
        const { ps } = await import('../ps.ts')
        return ps(settings, options)
      }),
    )

  program
    .command('diff')
    .description('print what a container sees otherwise than its host, side by side')
    .addOption(containerId())
    .option('--from <folder>', 'a captured machine instead of this one')
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(
      run(async (settings, options: DiffOptions) => {
        const { diff } = await import('../diff.ts')
        return diff(settings, options)
      }),
    )
}
