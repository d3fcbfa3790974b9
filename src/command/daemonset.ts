/**
 * `procveil daemonset`: asks the API server whether the DaemonSet that has put procveil onto this node is still there, for
 * deploy/node.sh, which runs in its pod.
 */

import type { Name } from '../kubernetes/daemonset.ts'
import { existenceOf, untilDeleted } from '../kubernetes/until-deleted.ts'
import { complain } from '../sys/log.ts'
import { endWithParent } from '../sys/process.ts'

export interface DaemonSetOptions {
  credentials: string
  /** Waits until it is deleted, or the process that has started this one ends. */
  wait?: boolean
}

export const DELETED = 0
export const THERE = 3
const UNKNOWN = 1

/** Returns the exit status. */
export async function daemonSet(
  name: Name,
  { credentials, wait = false }: DaemonSetOptions,
  { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = process.env,
): Promise<number> {
  if (host === '' || !/^\d{1,5}$/.test(port)) {
    complain(
      'Cannot ask for the DaemonSet: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, as they are in a pod',
    )
    return UNKNOWN
  }
  const api = { host, port: Number(port), credentials }
  try {
    if (wait) {
      endWithParent()
      await untilDeleted(api, name, complain)
    } else if ((await existenceOf(api, name)).state === 'there') return THERE
    return DELETED
  } catch (error) {
    complain(error)
    return UNKNOWN
  }
}
