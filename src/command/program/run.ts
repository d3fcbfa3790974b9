/** What a command of the program is bound to. */

import type { Settings } from '../../service/default-settings.ts'

/** Makes an action of commander's out of what a command does, which returns the exit status. */
export type Run = <Arguments extends unknown[]>(
  command: (settings: Settings, ...args: Arguments) => Promise<number>,
) => (...args: Arguments) => Promise<void>
