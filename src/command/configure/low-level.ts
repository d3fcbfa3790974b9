/** The file that names the runtime behind procveil-runtime: one that is in use already goes on being used. */

import { WRAPPER } from '../hooks/entry.ts'
import { isExecutable } from '../hooks/executable.ts'
import type { Change, Plan, Situation } from './plan.ts'

const CHOICE = '/etc/procveil/runtime'

export interface LowLevel {
  changes: readonly Change[]
  notes: Plan['notes']
  /** Whether it is the program that was asked for, which may have arguments of its own. */
  isWanted: boolean
}

/**
 * `program` is what ran containers before, a path or a name; `undefined` where procveil-runtime finds it by itself. An
 * administrator's choice stays, and is told of where it is another. Throws where procveil-runtime itself is missing.
 */
export function chooseLowLevel(
  { host, original }: Pick<Situation, 'host' | 'original'>,
  program: string | undefined,
): LowLevel {
  if (!isExecutable(host, WRAPPER)) {
    throw new Error(
      `Cannot put procveil-runtime before another runtime: ${WRAPPER} is no executable, and no container would start; ` +
        'install procveil there',
    )
  }
  if (program === undefined || program === 'runc') {
    return { changes: [], notes: [], isWanted: true }
  }
  const before = original(CHOICE)
  if (before === undefined) {
    const change: Change = { path: CHOICE, text: `${program}\n`, kind: 'own' }
    return { changes: [change], notes: [], isWanted: true }
  }
  const isWanted = chosenIn(before) === program
  const note = `${CHOICE} does not name ${program}, which has run containers so far`
  return { changes: [], notes: isWanted ? [] : [note], isWanted }
}

/** The first line that is neither empty nor a comment, as procveil-runtime reads it. */
function chosenIn(text: string): string | undefined {
  const lines = text.split('\n').map(line => line.trim())
  return lines.find(line => line !== '' && !line.startsWith('#'))
}
