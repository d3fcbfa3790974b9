/**
 * What the API server of Kubernetes says about a DaemonSet. Only what it says of this one by name counts: anything else,
 * such as a refusal or the page of a proxy, tells nothing.
 */

import { objectOf, parseObject, stringOf } from '../host/json.ts'

export interface Name {
  namespace: string
  name: string
}

export type Existence =
  | { state: 'there' }
  /** It is not there, or it goes as soon as what belongs to it has gone. */
  | { state: 'deleted' }

/** As the API's paths have it. */
export const pathOf = ({ namespace, name }: Name) =>
  `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets/${encodeURIComponent(name)}`

/**
 * An event for what is there, and then those that change it, in lines, for `seconds` at most. The Role that allows to watch this
 * one object asks for the field selector (Using RBAC Authorization, "Referring to resources"). It names no version to begin
 * at: that of an object nobody changes is soon too old for the API server, which answers 410 then
 * (apiserver/pkg/storage/cacher, watch_cache.go).
 */
export function watchPathOf({ namespace, name }: Name, seconds: number): string {
  const query = new URLSearchParams({
    watch: '1',
    fieldSelector: `metadata.name=${name}`,
    timeoutSeconds: String(seconds),
  })
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets?${query}`
}

/** Parses the answer to `pathOf`. Throws for an answer that does not say whether the object is there. */
export function parseAnswer({ namespace, name }: Name, status: number, text: string): Existence {
  const action = `ask for the DaemonSet ${namespace}/${name}`
  if (status !== 200 && status !== 404) {
    throw new Error(`Cannot ${action}: the API server answered ${status}`)
  }
  const fields = parseObject(action, text)
  if (status === 200) return existenceOf(action, name, fields.metadata)
  // A server that does not know the path answers 404, too, and names no object.
  if (fields.reason === 'NotFound' && objectOf(fields.details)?.name === name) {
    return { state: 'deleted' }
  }
  throw new Error(`Cannot ${action}: the API server does not know the path`)
}

/** Parses a line of a watch. `undefined` for one that tells only that the watch has to begin anew. */
export function parseEvent({ namespace, name }: Name, line: string): Existence | undefined {
  const action = `watch the DaemonSet ${namespace}/${name}`
  const { type, object } = parseObject(action, line)
  if (type === 'ERROR') return undefined
  const existence = existenceOf(action, name, objectOf(object)?.metadata)
  return type === 'DELETED' ? { state: 'deleted' } : existence
}

function existenceOf(action: string, name: string, metadata: unknown): Existence {
  const fields = objectOf(metadata)
  if (fields?.name !== name) {
    throw new SyntaxError(`Cannot ${action}: the API server answered with another object`)
  }
  // Set while its pods go before it, which is deletion in the foreground.
  return stringOf(fields.deletionTimestamp) === undefined
    ? { state: 'there' }
    : { state: 'deleted' }
}
