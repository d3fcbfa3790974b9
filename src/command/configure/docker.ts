/**
 * Docker: it runs the hook for `docker run --device procveil.io/proc=view`, a CDI device. For that it needs CDI, which
 * is on by default since 28.2.0 (cmd/dockerd/daemon.go), and the device's file.
 */

import { objectOf, quote } from '../../host/json.ts'
import { CDI_DIRECTORIES, CDI_FILE, DOCKER_CONFIG } from '../hooks/docker.ts'
import { CDI_DEVICE, renderCdi } from '../hooks/entry.ts'
import { namesOf } from '../hooks/ours.ts'
import { parseSettings, setInJson } from './edit-json.ts'
import type { Plan, Situation } from './plan.ts'
import { reasonOf, withTemporaryFiles } from './run.ts'

/** The first that knows CDI, and the first that has --validate. */
const CDI_MAJOR = 25
const VALIDATE_MAJOR = 23

export function planDocker({ config, setAsDefault, original, run }: Situation): Plan {
  if (setAsDefault) {
    throw new RangeError(
      `Cannot make procveil docker's default: docker gives no container a device that it is not asked for; ` +
        `name --device ${CDI_DEVICE}, or "devices:" in a compose file`,
    )
  }
  const path = config ?? DOCKER_CONFIG
  const before = original(path)
  const settings = parseSettings(path, before ?? '', false)
  const configured = namesOf(settings['cdi-spec-dirs'])
  const directories = configured.length > 0 ? configured : CDI_DIRECTORIES
  const cdi = `${directories[0]}/${CDI_FILE}`
  const isThere = directories.some(each => original(`${each}/${CDI_FILE}`) !== undefined)
  const text = enableCdi(path, before ?? '')
  const version = /\bversion (\d+)\.[^\s,]*/.exec(run('dockerd', ['--version']).stdout)
  const major = Number(version?.[1])
  return {
    changes: [
      ...(isThere ? [] : [{ path: cdi, text: renderCdi(), kind: 'own' as const }]),
      { path, text, kind: 'docker' },
    ],
    notes:
      major < CDI_MAJOR
        ? [
            `dockerd is ${version?.[0]}, which knows no CDI devices: it needs ${CDI_MAJOR}.0 or newer`,
          ]
        : [],
    use: `containers get the hook by docker run --device ${CDI_DEVICE}, or "devices:" in a compose file`,
    restart: { unit: 'docker', reads: 'features' },
    validate: () => {
      if (major >= VALIDATE_MAJOR) validate(path, before, text, run)
    },
  }
}

function enableCdi(path: string, text: string): string {
  const { features } = parseSettings(path, text, false)
  if (features !== undefined && objectOf(features) === undefined) {
    throw new SyntaxError(
      `Cannot edit ${path}: features is no object but ${quote(features)}; docker takes one, such as {"cdi": true}`,
    )
  }
  const { cdi } = objectOf(features) ?? {}
  if (cdi === true) return text
  if (cdi !== undefined && typeof cdi !== 'boolean') {
    throw new SyntaxError(
      `Cannot edit ${path}: features.cdi is neither true nor false but ${quote(cdi)}`,
    )
  }
  return setInJson(path, text, ['features', 'cdi'], true)
}

/** Takes features.cdi back to what it was in `before`. */
export function disableCdi(path: string, text: string, before: string | undefined): string {
  const now = objectOf(parseSettings(path, text, false).features)
  if (now?.cdi !== true) return text
  const old = objectOf(parseSettings(path, before ?? '', false).features)
  if (old?.cdi !== undefined) return setInJson(path, text, ['features', 'cdi'], old.cdi)
  const isAlone = old === undefined && Object.keys(now).length === 1
  return setInJson(path, text, isAlone ? ['features'] : ['features', 'cdi'], undefined)
}

function validate(
  path: string,
  before: string | undefined,
  text: string,
  run: Situation['run'],
): void {
  withTemporaryFiles({ 'old.json': before || '{}', 'new.json': text }, pathOf => {
    const check = (name: string) => run('dockerd', ['--validate', '--config-file', pathOf(name)])
    const ran = check('new.json')
    if (ran.status === 0) return
    const reason = reasonOf(ran).replaceAll(pathOf('new.json'), path)
    const wasInvalid = check('old.json').status !== 0
    throw new Error(
      `Cannot edit ${path}: dockerd does not accept it: ${reason}` +
        (wasInvalid ? '; it did not accept it before either: correct it first' : ''),
    )
  })
}
