/** Docker: a CDI device, for the containers that ask for it. */

import type { Host } from '../../../host/host.ts'
import { arrayOf, type Fields, objectOf, stringOf } from '../../../host/json.ts'
import { CDI_DIRECTORIES, CDI_FILE, DOCKER_CONFIG } from '../../hooks/docker.ts'
import { CDI_DEVICE, CDI_KIND } from '../../hooks/entry.ts'
import { namesOf } from '../../hooks/ours.ts'
import { about, type Finding } from '../finding.ts'
import { checkEntry, checkWrapper, isOursHere, isWrapper, readJson } from './entry.ts'
import { isInstalled } from './installed.ts'

const { warning } = about('hooks')

const ADVICE = 'procveil configure docker; procveil remount --all for those that run'

export function checkDocker(host: Host): Finding[] {
  if (!isInstalled(host, 'dockerd')) return []
  const config = readJson(host, DOCKER_CONFIG)
  const wrapped = checkRuntimes(host, config)
  if (wrapped.length > 0) return wrapped
  const configured = namesOf(config?.['cdi-spec-dirs'])
  const file = (configured.length > 0 ? configured : CDI_DIRECTORIES)
    .map(directory => `${directory}/${CDI_FILE}`)
    .find(path => readJson(host, path)?.kind === CDI_KIND)
  if (file === undefined) {
    return [
      warning(`docker: no container gets our hook: the device ${CDI_DEVICE} is not known`, ADVICE),
    ]
  }
  const enabled = objectOf(config?.features)?.cdi
  if (enabled === false) {
    return [warning(`docker: no container gets our hook: ${DOCKER_CONFIG} turns CDI off`, ADVICE)]
  }
  const hooks = hooksOf(readJson(host, file)).filter(hook => isOursHere(host, hook))
  const since = enabled === true ? '' : ', with docker 28.2 or newer'
  return [
    checkEntry(host, {
      who: 'docker',
      file,
      hook: hooks[0],
      stages: hooks.flatMap(hook => stringOf(hook.hookName) ?? []),
      text: `docker: configured for --device ${CDI_DEVICE}${since}`,
    }),
  ]
}

function checkRuntimes(host: Host, config: Fields | undefined): Finding[] {
  return Object.entries(objectOf(config?.runtimes) ?? {}).flatMap(([name, runtime]) => {
    const path = stringOf(objectOf(runtime)?.path)
    if (!isWrapper(path)) return []
    const isDefault = config?.['default-runtime'] === name
    const whose = isDefault ? 'all containers' : `those with docker run --runtime ${name}`
    return [checkWrapper(host, 'docker', DOCKER_CONFIG, path, whose)]
  })
}

const hooksOf = (cdi: Fields | undefined): Fields[] =>
  objectsOf(cdi?.devices).flatMap(device => objectsOf(objectOf(device.containerEdits)?.hooks))

function objectsOf(value: unknown): Fields[] {
  return (arrayOf(value) ?? []).flatMap(each => {
    const fields = objectOf(each)
    return fields === undefined ? [] : [fields]
  })
}
