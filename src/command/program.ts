/** The command line as a person uses it: every command with its help. */

import { Argument, Command } from 'commander'
import { DEFAULT_SETTINGS, type Settings } from '../service/default-settings.ts'
import { resolveSettings } from '../service/settings.ts'
import { printableLines } from '../sys/printable.ts'
import type { Page } from './man.ts'
import { addContainerCommands } from './program/containers.ts'
import { addCapture, addDoctor } from './program/reports.ts'
import type { Run } from './program/run.ts'
import { addRuntimeCommands } from './program/runtimes.ts'
import { addServiceCommands } from './program/service.ts'
import { VERSION } from './version.ts'

/** Runs a command line without the program's name. Returns the exit status. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let status = 0
  const program = makeProgram(ended => {
    status = ended
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof Error && 'exitCode' in error) return Number(error.exitCode)
    throw error
  }
  return status
}

/** `end` gets the exit status of the command that was run. */
export function makeProgram(end: (status: number) => void): Command {
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
    .configureOutput({ writeErr: text => process.stderr.write(printableLines(text)) })

  const run: Run =
    command =>
    async (...args) =>
      end(await command(readSettings(program), ...args))

  // The help lists the commands in this order.
  addServiceCommands(program, run)
  addContainerCommands(program, run)
  addDoctor(program, run)
  addRuntimeCommands(program, run)
  addCompletion(program, run)
  addCapture(program, run)
  addMan(program, run)
  return program
}

function readSettings(program: Command): Settings {
  const { mountpoint, runDir, config, log } = program.opts<{
    mountpoint: string
    runDir: string
    config: string
    log?: string
  }>()
  return resolveSettings({ mountPoint: mountpoint, runDirectory: runDir, config, log })
}

function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .description(
      'print a completion script for bash, zsh or fish: source <(procveil completion bash)',
    )
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      run(async (settings, shell: string) => {
        const { completion } = await import('./completion.ts')
        return completion(settings, program, shell)
      }),
    )
}

function addMan(program: Command, run: Run): void {
  program
    .command('man', { hidden: true })
    .description('print a page of the manual')
    .addArgument(
      new Argument('<page>').choices(['procveil.8', 'procveil-runtime.8', 'procveil-config.5']),
    )
    .action(
      run(async (_settings, page: Page) => {
        const { man } = await import('./man.ts')
        return man(program, page)
      }),
    )
}
