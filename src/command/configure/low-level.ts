/** The file that names the runtime behind procveil-runtime: one that is in use already goes on being used. */

import type { Change, Plan, Situation } from './plan.ts'

export const CHOICE = '/etc/procveil/runtime'

/**
 * `program` is what ran containers before, a path or a name; `undefined` where procveil-runtime finds it by itself. An
 * administrator's choice stays, and is told of where it is another.
 */
export function chooseLowLevel(
  { original }: Pick<Situation, 'original'>,
  program: string | undefined,
): { changes: readonly Change[]; notes: Plan['notes'] } {
  if (program === undefined || program === 'runc') return { changes: [], notes: [] }
  const before = original(CHOICE)
  if (before === undefined) {
    return { changes: [{ path: CHOICE, text: `${program}\n`, kind: 'own' }], notes: [] }
  }
  const isNamed = before.split('\n').some(line => line.trim() === program)
  const note = `${CHOICE} does not name ${program}, which has run containers so far`
  return { changes: [], notes: isNamed ? [] : [note] }
}
