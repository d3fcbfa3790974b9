/** NRI: whether the service's plugin has rules, and a runtime that lets it add hooks. */

import type { Host } from '../../../host/host.ts'
import { parseRules } from '../../../nri/rules.ts'
import { SOCKETS } from '../../../nri/run-plugin.ts'
import { UNIT_DIRECTORIES } from '../../../service/unit.ts'
import {
  findOff,
  findRejection,
  hasSocket,
  NRI_IS_OFF,
  NRI_RULES,
  NRI_RUNTIMES,
  type NriRuntime,
  type Refusal,
} from '../../hooks/nri.ts'
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

/** Where each listens itself, whether it has NRI or not. */
const OWN_SOCKETS: Readonly<Record<NriRuntime, string>> = {
  containerd: 'run/containerd/containerd.sock',
  crio: 'run/crio/crio.sock',
}

/** Of two runtimes only one can have NRI on at the usual socket, so that it is off when it is so for both. */
function findRefusal(host: Host): Refusal | undefined {
  const there = NRI_RUNTIMES.filter(runtime => isThere(host, runtime))
  const off = there.map(runtime => findOff(host, runtime))
  if (!off.includes(undefined)) return off[0]
  const on = there.filter((_, at) => off[at] === undefined)
  return on.map(runtime => findRejection(host, runtime)).find(each => each !== undefined)
}

/** What has been removed may have left its configuration. */
const isThere = (host: Host, runtime: NriRuntime): boolean =>
  host.has(OWN_SOCKETS[runtime]) ||
  UNIT_DIRECTORIES.some(directory => host.has(`${directory}/${runtime}.service`))
