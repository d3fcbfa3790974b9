/** Checks one entry with our hook, wherever a runtime has it. */

import { basename } from 'node:path'
import { type Host, realPath } from '../../../host/host.ts'
import { type Fields, objectOf, tryParseJson } from '../../../host/json.ts'
import { WRAPPER } from '../../hooks/entry.ts'
import { isExecutable } from '../../hooks/executable.ts'
import { isOurs, programOf } from '../../hooks/ours.ts'
import { about, type Finding, nameSome } from '../finding.ts'

const { ok, warning, problem } = about('hooks')

export interface Entry {
  /** The runtime, as `procveil configure` knows it where it does. */
  who: string
  file: string
  hook: unknown
  stages: readonly string[]
  /** What is said of an entry as it should be. */
  text?: string
}

/** Whether it has what the hook needs to bind the files, and to clean up behind a container. */
export function checkEntry(host: Host, { who, file, hook, stages, text }: Entry): Finding {
  const path = programOf(hook)
  const { env } = objectOf(hook) ?? {}
  const configure = `procveil configure ${who.split(',')[0]} shows in its --dry-run what the file should say`
  if (path === undefined || !isExecutable(host, path)) {
    return problem(
      `${who}: ${file} starts ${path}, which is no executable`,
      `put the executable at ${path}, or its path into ${file}`,
    )
  }
  if (!stages.includes('prestart') && !stages.includes('createRuntime')) {
    return problem(
      `${who}: ${file} runs the hook in ${nameSome(stages) || 'no stage'}`,
      `name createRuntime (iSulad: prestart) in ${file}`,
    )
  }
  if (!Array.isArray(env) || env.length === 0) {
    return problem(
      `${who}: ${file} gives the hook no environment of its own, so that it may get the container's`,
      `give it "env"; ${configure}`,
    )
  }
  if (!stages.includes('poststop')) {
    return warning(
      `${who}: ${file} does not run the hook in poststop: registrations of ended containers stay`,
      `name poststop too in ${file}`,
    )
  }
  return ok(text ?? `${who}: ${file}`)
}

/** What is said of a runtime that runs containers by procveil-runtime; `whose` are the containers that it is for. */
export function checkWrapper(host: Host, who: string, file: string, path: string, whose: string) {
  if (isExecutable(host, path)) return ok(`${who}: procveil-runtime is for ${whose}`)
  return problem(
    `${who}: ${file} names the runtime ${path}, which is no executable: no container of it starts`,
    `install procveil again, or procveil configure ${who} --undo`,
  )
}

/** Whether a path is that of procveil-runtime. */
export const isWrapper = (path: string | undefined): path is string =>
  path?.startsWith('/') === true && basename(path) === basename(WRAPPER)

/** Our hook in lists by stage, with the stages that have it; `undefined` where none has. */
export function findInStages(
  host: Host,
  lists: Fields,
): { hook: unknown; stages: string[] } | undefined {
  const oursOf = (list: unknown) =>
    Array.isArray(list) ? list.find(each => isOursHere(host, each)) : undefined
  const stages = Object.keys(lists).filter(stage => oursOf(lists[stage]) !== undefined)
  const [first] = stages
  return first === undefined ? undefined : { hook: oursOf(lists[first]), stages }
}

export const isOursHere = (host: Host, hook: unknown): boolean =>
  isOurs(hook, path => realPath(host.path(path.slice(1))))

export const readJson = (host: Host, path: string): Fields | undefined =>
  objectOf(tryParseJson(host.tryRead(path.slice(1)) ?? ''))
