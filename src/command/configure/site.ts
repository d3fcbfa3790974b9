/** The machine that is configured, in tests a folder, and where messages go. */

import type { Host } from '../../host/host.ts'
import type { Ran } from './run.ts'

export interface Site {
  host: Host
  run(program: string, args: readonly string[]): Ran
  /** Prints a line. */
  print(line: string): void
}
