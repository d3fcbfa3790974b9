/**
 * The entry of procveil: it hands the arguments to a command, prints errors on stderr, and has the only exit but for a
 * hook's, which somebody waits for. That command is here, and loads next to nothing; any other is loaded when it is run.
 */

import { argumentsOf, parseFastCommand } from './command/arguments.ts'
import { hook } from './command/hook.ts'

main(argumentsOf(process.argv0, process.argv.slice(2))).then(
  status => process.exit(status),
  async error => {
    const { complain } = await import('./sys/log.ts')
    complain(error)
    process.exit(1)
  },
)

async function main(args: readonly string[]): Promise<number> {
  const fast = parseFastCommand(args)
  if (fast?.name === 'hook') return hook(fast)
  if (fast?.name === 'worker') {
    const { worker } = await import('./command/worker.ts')
    return worker(fast.settings)
  }
  if (fast?.name === 'runtime-hooks') {
    const { runtimeHooks } = await import('./command/runtime-hooks.ts')
    return runtimeHooks(fast)
  }
  const { runProgram } = await import('./command/program.ts')
  return runProgram(args)
}
