/** NRI: whether the service's plugin has rules, and a runtime that lets it add hooks. */

import type { Host } from '../../../host/host.ts'
import { parseRules } from '../../../nri/rules.ts'
import { SOCKETS } from '../../../nri/run-plugin.ts'
import { findRefusal, hasSocket, NRI_IS_OFF, NRI_RULES } from '../../hooks/nri.ts'
import { about, type Finding } from '../finding.ts'

const { ok, warning, problem } = about('hooks')

export function checkNri(host: Host): Finding[] {
  const text = host.tryRead(NRI_RULES.slice(1))
  if (text === undefined) return []
  const { pods, exceptNamespaces, socket } = parseRules(text, NRI_RULES)
  const refusal = findRefusal(host)
  if (refusal !== undefined) {
    const { path, line } = refusal
    return [
      problem(
        `nri: no container gets our hook: ${line} in ${path}`,
        'take that out, and restart the runtime; or procveil configure nri --undo',
      ),
    ]
  }
  const sockets = socket === undefined ? SOCKETS : [socket]
  if (!hasSocket(host, sockets)) {
    return [warning(`nri: no runtime listens at ${sockets[0]}`, NRI_IS_OFF)]
  }
  const except = exceptNamespaces.length > 0 ? ` but those of ${exceptNamespaces.join(', ')}` : ''
  return [ok(`nri: ${NRI_RULES} is for ${pods === 'all' ? `all pods${except}` : 'annotated pods'}`)]
}
