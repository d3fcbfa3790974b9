/**
 * Docker has no place for hooks. It runs ours for `docker run --device procveil.io/proc=view`, a CDI device: for that it
 * needs CDI, which is on by default since 28.2.0 (cmd/dockerd/daemon.go), and the device's file. Or procveil-runtime is one
 * of its runtimes, which can be the default: it reads both anew on SIGHUP (dockerd(8), "Configuration reload behavior").
 */

import { objectOf, quote } from '../../host/json.ts'
import { CDI_DIRECTORIES, CDI_FILE, DOCKER_CONFIG } from '../hooks/docker.ts'
import { CDI_DEVICE, renderCdi } from '../hooks/entry.ts'
import { namesOf } from '../hooks/ours.ts'
import { leaveRuntime } from './docker-left.ts'
import { type Part, planRuntime, removeRuntime } from './docker-runtime.ts'
import { parseSettings, setInJson } from './edit-json.ts'
import { readText } from './files.ts'
import type { Plan, Situation } from './plan.ts'
import { reasonOf, withTemporaryFiles } from './run.ts'

/** The first that knows CDI, and the first that has --validate. */
const CDI_MAJOR = 25
const VALIDATE_MAJOR = 23

export function planDocker(situation: Situation): Plan {
  const { config, asDevice, asRuntime, original, run } = situation
  const path = config ?? DOCKER_CONFIG
  const before = original(path)
  const version = /\bversion (\d+)\.[^\s,]*/.exec(run('dockerd', ['--version']).stdout)
  const major = Number(version?.[1])
  const device = asDevice ? planDevice(situation, path, before ?? '') : undefined
  const runtime = asRuntime
    ? planRuntime(situation, path, before ?? '', device?.text ?? before ?? '')
    : undefined
  const planned = runtime?.text ?? device?.text ?? before ?? ''
  const text =
    leaveRuntime(situation, path, readText(situation.host, path), planned)?.text ?? planned
  const isOld = device !== undefined && major < CDI_MAJOR
  return {
    changes: [
      ...(device?.changes ?? []),
      ...(runtime?.changes ?? []),
      { path, text, kind: 'docker' },
    ],
    notes: [
      ...(isOld
        ? [
            `dockerd is ${version?.[0]}, which knows no CDI devices: it needs ${CDI_MAJOR}.0 or newer`,
          ]
        : []),
      ...(runtime?.notes ?? []),
    ],
    use: [device?.use, runtime?.use].filter(each => each !== undefined).join('; '),
    restart: restartFor(runtime, device === undefined || hasCdi(situation, path)),
    validate: () => {
      if (major >= VALIDATE_MAJOR) validate(path, before, text, run)
    },
  }
}

function restartFor(runtime: Part | undefined, isToldOfCdi: boolean): NonNullable<Plan['restart']> {
  if (!isToldOfCdi) return { unit: 'docker', reads: 'features' }
  if (runtime?.isLostByReload) return { unit: 'docker', reads: 'the runtimes of its command line' }
  return { unit: 'docker', reads: 'runtimes', verb: 'reload' }
}

function planDevice({ original }: Situation, path: string, text: string): Part {
  const configured = namesOf(parseSettings(path, text, false)['cdi-spec-dirs'])
  const directories = configured.length > 0 ? configured : CDI_DIRECTORIES
  const isThere = directories.some(each => original(`${each}/${CDI_FILE}`) !== undefined)
  const file = `${directories[0]}/${CDI_FILE}`
  return {
    text: enableCdi(path, text),
    changes: isThere ? [] : [{ path: file, text: renderCdi(), kind: 'own' }],
    notes: [],
    use: `containers get the hook by docker run --device ${CDI_DEVICE}, or "devices:" in a compose file`,
  }
}

/** Whether the daemon has been told of CDI already. */
const hasCdi = ({ host }: Situation, path: string): boolean =>
  objectOf(parseSettings(path, readText(host, path) ?? '', false).features)?.cdi === true

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

/** Takes what we set back to what it was in `before`; `left` is as for `removeRuntime`. */
export function restoreDocker(
  path: string,
  text: string,
  before: string | undefined,
  left: string | undefined,
): string {
  return removeRuntime(path, disableCdi(path, text, before), before, left)
}

function disableCdi(path: string, text: string, before: string | undefined): string {
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
