/**
 * The file that names the runtime behind procveil-runtime: one that is in use already goes on being used. There is one
 * file for all daemons.
 */

import { basename } from 'node:path'
import type { Host } from '../../host/host.ts'
import { WRAPPER } from '../hooks/entry.ts'
import { isExecutable } from '../hooks/executable.ts'
import { readText } from './files.ts'
import type { Change, Plan, Situation } from './plan.ts'

export const CHOICE = '/etc/procveil/runtime'

export interface LowLevel {
  changes: readonly Change[]
  notes: Plan['notes']
  /** Whether it is the program that was asked for, which may have arguments of its own. */
  isWanted: boolean
}

/**
 * `program` is what ran containers before, a path or a name; `undefined` where that is runc. What an administrator has
 * chosen stays, and what another daemon has had written, and is told of where it is another program. Throws where
 * procveil-runtime itself is missing.
 */
export function chooseLowLevel(
  { host, original }: Pick<Situation, 'host' | 'original'>,
  program = 'runc',
): LowLevel {
  if (!isExecutable(host, WRAPPER)) {
    throw new Error(
      `Cannot put procveil-runtime before another runtime: ${WRAPPER} is no executable, and no container would start; ` +
        'install procveil there',
    )
  }
  const chosen = chosenIn(readText(host, CHOICE) ?? '')
  if (chosen !== undefined && !isSame(chosen, program)) {
    const note =
      `${CHOICE} names ${chosen}, which runs all containers of the runtime procveil, those of this daemon too, ` +
      `and not ${program}, which has run them so far`
    return { changes: [], notes: [note], isWanted: false }
  }
  const isWritten = program !== 'runc' && original(CHOICE) === undefined
  const change: Change = { path: CHOICE, text: `${chosen ?? program}\n`, kind: 'own' }
  return { changes: isWritten ? [change] : [], notes: [], isWanted: true }
}

/** What procveil-runtime runs. */
export const readLowLevel = (host: Host): string => chosenIn(readText(host, CHOICE) ?? '') ?? 'runc'

/** The first line that is neither empty nor a comment, as procveil-runtime reads it. */
function chosenIn(text: string): string | undefined {
  const lines = text.split('\n').map(line => line.trim())
  return lines.find(line => line !== '' && !line.startsWith('#'))
}

/** A name stands for a program of that name anywhere in PATH. */
function isSame(one: string, other: string): boolean {
  const isName = !one.includes('/') || !other.includes('/')
  return one === other || (isName && basename(one) === basename(other))
}
