/** The commands that are the service, and those that start, prepare, renew or end it. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  KEEPER_FLAGS,
  type KeeperArguments,
  parseKeeperOrders,
  parseServerOrders,
  SERVER_FLAGS,
  type ServerArguments,
} from '../../service/handover.ts'
import type { DaemonSetOptions } from '../daemonset.ts'
import type { ServeOptions } from '../serve.ts'
import type { Run } from './run.ts'

export function addServiceCommands(program: Command, run: Run): void {
  program
    .command('hook')
    .description("an OCI runtime's hook: reads the container's state on stdin and binds its files")
    .option('--strict', 'exit with status 1 when the files cannot be bound')
    .option('--timeout <seconds>', 'end after so long, bound or not (default: 12)', parseSeconds)
    .action(
      run(async (settings, options: { strict?: boolean; timeout?: number }) => {
        const { hook } = await import('../hook.ts')
        const { strict = false, timeout: timeoutSeconds } = options
        return hook({ settings, strict, direct: false, timeoutSeconds })
      }),
    )

  const serve = program
    .command('serve')
    .description('serve the file system in the foreground')
    .option('--ready-fd <number>', 'write a byte to this descriptor when the mount answers')
    .option('--standby', 'wait while another process serves, and take its place when that ends')
    .option('--prestart', 'do what prestart does first')
    .action(
      run(async (settings, args: KeeperArguments & ServeOptions) => {
        const { serve } = await import('../serve.ts')
        return serve(settings, parseKeeperOrders(args), args)
      }),
    )
  for (const flag of KEEPER_FLAGS) serve.addOption(new Option(flag).hideHelp())

  program
    .command('check-lxcfs')
    .description('wait until the file system answers; exit with status 1 when it does not')
    .option('--timeout <seconds>', 'how long to wait', parseSeconds, 15)
    .action(
      run(async (settings, { timeout }: { timeout: number }) => {
        const { check } = await import('../check.ts')
        return check(settings, timeout)
      }),
    )

  program
    .command('stop')
    .description('take the files out of all containers and end the service')
    .action(
      run(async settings => {
        const { stop } = await import('../service.ts')
        return stop(settings)
      }),
    )

  program
    .command('upgrade')
    .description('have the service go over to the executable on the disk, unnoticed by readers')
    .action(
      run(async settings => {
        const { upgrade } = await import('../service.ts')
        return upgrade(settings)
      }),
    )

  program
    .command('self-check', { hidden: true })
    .description('prove that this executable can serve on this host')
    .action(
      run(async () => {
        const { selfCheck } = await import('../self-check.ts')
        return selfCheck()
      }),
    )

  program
    .command('prestart')
    .description('make the directory above the mount point a shared mount; release dead mounts')
    .option('--undo', 'take that mount off again, for the last time before procveil is erased')
    .action(
      run(async (settings, { undo }: { undo?: boolean }) => {
        const { prestart, undoPrestart } = await import('../prestart.ts')
        return undo ? undoPrestart(settings) : prestart(settings)
      }),
    )

  program.command('nri', { hidden: true }).action(
    run(async settings => {
      const { nri } = await import('../nri.ts')
      return nri(settings)
    }),
  )

  program
    .command('daemonset', { hidden: true })
    .requiredOption('--credentials <directory>')
    .option('--wait')
    .argument('<namespace>')
    .argument('<name>')
    .action(
      run(async (_settings, namespace: string, name: string, options: DaemonSetOptions) => {
        const { daemonSet } = await import('../daemonset.ts')
        return daemonSet({ namespace, name }, options)
      }),
    )

  const server = program.command('server', { hidden: true }).action(
    run(async (settings, args: ServerArguments) => {
      const { server } = await import('../serve.ts')
      return server(settings, parseServerOrders(args))
    }),
  )
  for (const flag of SERVER_FLAGS) server.option(flag)
}

function parseSeconds(text: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of seconds.')
}
