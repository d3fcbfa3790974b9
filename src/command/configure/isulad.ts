/**
 * iSulad: `hook-spec` in its daemon.json names one file of hooks for all containers. Where it names one that is there,
 * our entries are put into that; as iSulad ships it, it is /etc/default/isulad/hooks/default.json, with empty lists.
 */

import { quote, textOf } from '../../host/json.ts'
import { HOOK_SPEC, renderHookSpec } from '../hooks/entry.ts'
import { ISULAD_CONFIG } from '../hooks/isulad.ts'
import { addHooks } from './edit-hooks.ts'
import { parseSettings, setInJson } from './edit-json.ts'
import type { Change, Plan, Situation } from './plan.ts'

/** The one that the package installs, and the one that is written where there is none. */
const SHARED_SPEC = '/usr/share/procveil/hooks/hookspec.json'
const OWN_SPEC = '/etc/procveil/hookspec.json'
const KEY = 'hook-spec'

export function planIsulad(situation: Situation): Plan {
  const { config, setAsDefault, original } = situation
  if (setAsDefault) {
    throw new RangeError(
      `Cannot make procveil isulad's default: its hook is for all containers as it is; leave --set-as-default out`,
    )
  }
  const path = config ?? ISULAD_CONFIG
  const text = original(path)
  if (text === undefined) {
    throw new Error(
      `Cannot edit ${path}: it is not there; install iSulad, or name its file by --runtime-config`,
    )
  }
  return {
    changes: planChanges(situation, path, text),
    notes: [],
    use: 'every container that is started from then on has the hook',
    restart: { unit: 'isulad', reads: 'hooks' },
  }
}

function planChanges({ host, original }: Situation, path: string, text: string): Change[] {
  const value = parseSettings(path, text, true)[KEY]
  if (value !== undefined && typeof value !== 'string') {
    throw new SyntaxError(`Cannot edit ${path}: ${KEY} is no path but ${quote(value)}`)
  }
  const named = textOf(value)
  const spec = named === undefined ? undefined : original(named)
  if (named !== undefined && spec !== undefined) {
    const { prestart, poststop } = HOOK_SPEC
    const begun = addHooks(named, spec, [], prestart[0], ['prestart'])
    return [
      { path: named, text: addHooks(named, begun, [], poststop[0], ['poststop']), kind: 'hooks' },
    ]
  }
  const isShared = host.has(SHARED_SPEC.slice(1))
  const wanted = isShared ? SHARED_SPEC : OWN_SPEC
  return [
    ...(isShared ? [] : [{ path: OWN_SPEC, text: renderHookSpec(), kind: 'own' as const }]),
    { path, text: setInJson(path, text, [KEY], wanted), kind: 'isulad' },
  ]
}

/** Takes `hook-spec` back to what it was in `before`. */
export function restoreHookSpec(path: string, text: string, before: string | undefined): string {
  const now = parseSettings(path, text, true)[KEY]
  if (now !== SHARED_SPEC && now !== OWN_SPEC) return text
  return setInJson(path, text, [KEY], parseSettings(path, before ?? '', true)[KEY])
}
