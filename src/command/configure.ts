/**
 * `procveil configure`: writes what a runtime needs so that its containers get the hook, and takes it back. It changes
 * only what it has to, records that before, and asks the daemon's own program whether it accepts the result.
 */

import { Host } from '../host/host.ts'
import { systemClock } from '../sys/clock.ts'
import { printableLines } from '../sys/printable.ts'
import { type ConfigureOptions, perform } from './configure/perform.ts'
import { run } from './configure/run.ts'

export type { ConfigureOptions }

/** Returns the exit status. Throws when something cannot be written, or the daemon does not accept it. */
export function configure(runtime: string | undefined, options: ConfigureOptions): number {
  const print = (line: string) => process.stdout.write(`${printableLines(line.trimEnd())}\n`)
  perform({ host: new Host('/', systemClock), run, print }, runtime, options)
  return 0
}
