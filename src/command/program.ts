/** The command line as a person uses it: every command with its help. */

import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import {
  KEEPER_FLAGS,
  type KeeperArguments,
  parseKeeperOrders,
  parseServerOrders,
  SERVER_FLAGS,
  type ServerArguments,
} from '../service/handover.ts'
import { DEFAULT_SETTINGS, resolveSettings, type Settings } from '../service/settings.ts'
import type { CaptureOptions } from './capture.ts'
import type { DiffOptions } from './diff.ts'
import type { DoctorOptions } from './doctor.ts'
import type { PsOptions } from './ps.ts'
import type { RemountOptions } from './remount.ts'
import type { ShowOptions } from './show.ts'
import { VERSION } from './version.ts'

/** Runs a command line without the program's name. Returns the exit status. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let status = 0
  const program = new Command('procveil')
  program
    .description('Gives every container its own /proc')
    .version(`procveil ${VERSION}`)
    .option(
      '--mountpoint <directory>',
      'where the file system is mounted',
      DEFAULT_SETTINGS.mountPoint,
    )
    .option(
      '--run-dir <directory>',
      'where registrations and locks are',
      DEFAULT_SETTINGS.runDirectory,
    )
    .option('--config <file>', 'defaults for the options, in JSON', DEFAULT_SETTINGS.config)
    .option('--log <file>', 'append messages to this file too')
    .enablePositionalOptions()
    .showHelpAfterError('(procveil --help lists the commands and options)')
    .exitOverride()
  const settings = (): Settings => {
    const { mountpoint, runDir, config, log } = program.opts<{
      mountpoint: string
      runDir: string
      config: string
      log?: string
    }>()
    return resolveSettings({ mountPoint: mountpoint, runDirectory: runDir, config, log })
  }

  program
    .command('hook')
    .description("an OCI runtime's hook: reads the container's state on stdin and binds its files")
    .option('--strict', 'exit with status 1 when the files cannot be bound')
    .action(async (options: { strict?: boolean }) => {
      const { hook } = await import('./hook.ts')
      status = hook(settings(), { strict: options.strict === true })
    })

  const serve = program
    .command('serve')
    .description('serve the file system in the foreground')
    .option('--ready-fd <number>', 'write a byte to this descriptor when the mount answers')
    .option('--standby', 'wait while another process serves, and take its place when that ends')
    .action(async ({ standby, ...args }: KeeperArguments & { standby?: boolean }) => {
      const { serve } = await import('./serve.ts')
      status = await serve(settings(), parseKeeperOrders(args), { standby: standby === true })
    })
  for (const flag of KEEPER_FLAGS) serve.addOption(new Option(flag).hideHelp())

  program
    .command('check-lxcfs')
    .description('wait until the file system answers; exit with status 1 when it does not')
    .option('--timeout <seconds>', 'how long to wait', parseSeconds, 15)
    .action(async ({ timeout }: { timeout: number }) => {
      const { check } = await import('./check.ts')
      status = await check(settings(), timeout)
    })

  program
    .command('stop')
    .description('take the files out of all containers and end the service')
    .action(async () => {
      const { stop } = await import('./service.ts')
      status = stop(settings())
    })

  program
    .command('upgrade')
    .description('have the service go over to the executable on the disk, unnoticed by readers')
    .action(async () => {
      const { upgrade } = await import('./service.ts')
      status = await upgrade(settings())
    })

  program
    .command('self-check', { hidden: true })
    .description('prove that this executable can serve on this host')
    .action(async () => {
      const { selfCheck } = await import('./self-check.ts')
      status = selfCheck()
    })

  program
    .command('prestart')
    .description('make the directory above the mount point a shared mount; release dead mounts')
    .option('--undo', 'take that mount off again, for the last time before procveil is erased')
    .action(async ({ undo }: { undo?: boolean }) => {
      const { prestart, undoPrestart } = await import('./prestart.ts')
      status = undo ? undoPrestart(settings()) : await prestart(settings())
    })

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
      .action(async (options: RemountOptions) => {
        const commands = await import('./remount.ts')
        status = commands[name](settings(), options)
      })
  }

  program
    .command('show')
    .description('print what a container sees in a file, such as meminfo or pressure/cpu')
    .argument('[file]')
    .addOption(containerId())
    .addOption(runtimeRoot())
    .option('--all-files', 'print all files')
    .option('--from <folder>', 'a captured machine instead of this one')
    .action(async (file: string | undefined, options: ShowOptions) => {
      const { show } = await import('./show.ts')
      status = show(settings(), file, options)
    })

  program
    .command('ps')
    .description('list the containers that run here, their limits, and whose files they see')
    .option('--watch', 'show it again every 2 seconds until interrupted')
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(async (options: PsOptions) => {
      const { ps } = await import('./ps.ts')
      status = await ps(settings(), options)
    })

  program
    .command('diff')
    .description('print what a container sees otherwise than its host, side by side')
    .addOption(containerId())
    .option('--from <folder>', 'a captured machine instead of this one')
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(async (options: DiffOptions) => {
      const { diff } = await import('./diff.ts')
      status = diff(settings(), options)
    })

  program
    .command('doctor')
    .description(
      'look for what is missing or left over; exit with status 1 when there is a problem',
    )
    .addOption(runtimeRoot())
    .option('--json', 'print it in JSON')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts')
      status = await doctor(settings(), options)
    })

  program
    .command('completion')
    .description('print a completion script, such as for: source <(procveil completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: string) => {
      const { completion } = await import('./completion.ts')
      status = completion(settings(), program, shell)
    })

  program
    .command('capture')
    .description("save the host and cgroup files that a container's view is made of, for a report")
    .addOption(containerId().makeOptionMandatory())
    .addOption(runtimeRoot())
    .requiredOption('-o, --output <folder>', 'where to; it must be new or empty')
    .action(async (options: CaptureOptions) => {
      const { capture } = await import('./capture.ts')
      status = capture(settings(), options)
    })

  const server = program
    .command('server', { hidden: true })
    .action(async (args: ServerArguments) => {
      const { server } = await import('./serve.ts')
      status = server(settings(), parseServerOrders(args))
    })
  for (const flag of SERVER_FLAGS) server.option(flag)

  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof Error && 'exitCode' in error) return Number(error.exitCode)
    throw error
  }
  return status
}

const containerId = () =>
  new Option('-c, --container-id <id>', 'the container: its id, the beginning of it, or its name')

const runtimeRoot = () =>
  new Option(
    '--runtime-root <directory...>',
    'where runc keeps its state besides its default, or another runtime: docker=DIRECTORY',
  )

function parseSeconds(text: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of seconds.')
}
