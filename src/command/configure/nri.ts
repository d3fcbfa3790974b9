/**
 * NRI, by which containerd and CRI-O ask our service about each container of a pod: the rules of the service's plugin. The
 * runtime itself needs nothing.
 */

import { parseRules, type Rules, renderRules } from '../../nri/rules.ts'
import { SOCKETS } from '../../nri/run-plugin.ts'
import { hasSocket, NRI_IS_OFF, NRI_RULES } from '../hooks/nri.ts'
import { readText } from './files.ts'
import type { Plan, Situation } from './plan.ts'

/** Programs of the node itself may want to know the node. */
const SYSTEM = ['kube-system']

export function planNri({ host, config, setAsDefault }: Situation): Plan {
  const path = config ?? NRI_RULES
  const text = readText(host, path)
  const current: Rules =
    text === undefined
      ? { pods: 'annotated', exceptNamespaces: SYSTEM, socket: undefined }
      : parseRules(text, path)
  const rules: Rules = { ...current, pods: setAsDefault ? 'all' : current.pods }
  const { pods, exceptNamespaces, socket } = rules
  const sockets = socket === undefined ? SOCKETS : [socket]
  const exceptions = exceptNamespaces.join(', ') || 'none'
  return {
    changes: [{ path, text: renderRules(rules), kind: 'nri' }],
    notes: [
      ...(hasSocket(host, sockets) ? [] : [`no runtime listens at ${sockets[0]}: ${NRI_IS_OFF}`]),
      ...(pods === 'all' ? [] : ['--set-as-default gives it to all pods']),
    ],
    use:
      pods === 'all'
        ? `every container of a pod has the hook from then on, but for namespaces (${exceptions}) and pods that opt out by the annotation io.procveil.enabled: "off"`
        : 'containers of pods with the annotation io.procveil.enabled: "on" have the hook from then on',
    restart: { unit: 'procveil', reads: path, verb: 'reload-or-restart' },
  }
}
