/** The table of one runtime in containerd's configuration. */

import type { Fields } from '../../host/json.ts'
import { namesOf } from '../hooks/ours.ts'

const OUR_ANNOTATIONS = 'io.procveil.*'

/**
 * The table with which hooks of containers can read their pod's annotations for us: containerd leaves all of these out of
 * config.json but those that `pod_annotations` lists, as patterns of path.Match (docs/cri/config.md, since 1.3).
 */
export function handOnAnnotations(table: Fields): Fields {
  const listed = namesOf(table.pod_annotations)
  const all = listed.includes(OUR_ANNOTATIONS) ? listed : [...listed, OUR_ANNOTATIONS]
  return { ...table, pod_annotations: all }
}

/** A key that is not there is empty too, so the copy says only what differs from that. */
export function withoutEmpty(table: Fields): Fields {
  const said = Object.entries(table).flatMap(([key, value]) => {
    if (value === '' || value === 0 || value === false) return []
    if (Array.isArray(value)) return value.length > 0 ? [[key, value] as const] : []
    if (typeof value !== 'object' || value === null) return [[key, value] as const]
    const inner = withoutEmpty(value as Fields)
    return Object.keys(inner).length > 0 ? [[key, inner] as const] : []
  })
  return Object.fromEntries(said)
}
