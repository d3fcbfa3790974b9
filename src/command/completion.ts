/**
 * `procveil completion`: prints scripts for shells, made from the commands as they are. A script looks up the ids of
 * containers when somebody completes one.
 */

import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Settings } from '../service/default-settings.ts'
import { renderBash } from './completion/bash.ts'
import { renderFish } from './completion/fish.ts'
import { type Grammar, readGrammar } from './completion/grammar.ts'
import { renderZsh } from './completion/zsh.ts'

const SHELLS: Readonly<Record<string, (grammar: Grammar) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}

/** Returns the exit status. */
export function completion(settings: Settings, program: Command, shell: string): number {
  const render = SHELLS[shell]
  if (render === undefined) {
    const known = Object.keys(SHELLS).join(', ')
    throw new RangeError(`Cannot complete for ${JSON.stringify(shell)}: it must be one of ${known}`)
  }
  writeFileSync(1, render(readGrammar(program, `${settings.runDirectory}/containers`)))
  return 0
}
