/** Configures a runtime: makes the plan, records what is going to be done, and writes the files. */

import { makeDirectories, missingDirectories, readText, writeText } from './files.ts'
import type { Runtime } from './names.ts'
import { originalOf } from './original.ts'
import type { Change, Plan } from './plan.ts'
import { PLANNERS } from './planners.ts'
import { hashOf, type Recorded, type RecordedFile, readRecords, writeRecord } from './record.ts'
import { restartDaemon } from './restart.ts'
import type { Site } from './site.ts'
import { renderDiff, type Step } from './step.ts'

export interface ConfigureChoices {
  dryRun: boolean
  restart: boolean
  setAsDefault: boolean
  asRuntime: boolean
  config: string | undefined
}

export function configureRuntime(site: Site, runtime: Runtime, choices: ConfigureChoices): void {
  const { host, print } = site
  const records = readRecords(host)
  const own = records.find(each => each.runtime === runtime)
  const recorded = records.flatMap(({ files }) => files)
  const original = (path: string) => {
    const file = recorded.find(each => each.path === path)
    const text = readText(host, path)
    return file === undefined ? text : originalOf(file, text).text
  }
  // A later run without an option does not take it back: what is undone is undone as a whole.
  const setAsDefault = choices.setAsDefault || own?.setAsDefault === true
  const wantsRuntime = choices.asRuntime || (runtime === 'docker' && choices.setAsDefault)
  const asRuntime = wantsRuntime || own?.asRuntime === true
  const asDevice = runtime === 'docker' && (!wantsRuntime || own?.asDevice === true)
  const plan = PLANNERS[runtime]({
    host,
    config: choices.config,
    setAsDefault,
    asRuntime,
    asDevice,
    original,
    run: site.run,
  })
  const steps = plan.changes
    .map(({ path, text }) => ({ path, text, current: readText(host, path) }))
    .filter(({ current, text }) => current !== text)
  if (steps.length > 0) plan.validate?.()
  if (choices.dryRun) {
    for (const step of steps) print(renderDiff(step))
    if (steps.length === 0) print(`${runtime} is already configured`)
    return
  }
  const files = plan.changes
    .filter(change => isToBeRecorded(change, steps, recorded))
    .map(change => recordOf(change, original(change.path), recorded, site))
  if (files.length > 0) {
    const kept = own?.files.filter(({ path }) => files.every(each => each.path !== path)) ?? []
    const record: Recorded = {
      runtime,
      setAsDefault,
      asRuntime,
      asDevice,
      files: [...kept, ...files],
    }
    if (JSON.stringify(record) !== JSON.stringify(own)) writeRecord(host, record)
  }
  for (const step of steps) write(site, step)
  report(site, runtime, plan, steps, choices.restart)
}

/** A file is recorded that is written now, or that another of our runtimes has had written. */
const isToBeRecorded = (
  { path }: Change,
  steps: readonly Step[],
  recorded: readonly RecordedFile[],
) => [...steps, ...recorded].some(each => each.path === path)

function recordOf(
  { path, text, kind }: Change,
  before: string | undefined,
  recorded: readonly RecordedFile[],
  { host }: Site,
): RecordedFile {
  const old = recorded.find(each => each.path === path)
  const directories = old?.directories ?? missingDirectories(host, path)
  return { path, kind, before, written: hashOf(text), directories, left: old?.left }
}

function write({ host, print }: Site, { path, current, text }: Step): void {
  if (readText(host, path) !== current) {
    throw new Error(`Cannot write ${path}: another program has changed it meanwhile; try again`)
  }
  makeDirectories(host, missingDirectories(host, path))
  writeText(host, path, text ?? '')
  print(`wrote ${path}`)
}

function report(
  site: Site,
  runtime: Runtime,
  { changes, notes, use, restart }: Plan,
  steps: readonly Step[],
  isToRestart: boolean,
): void {
  const { print } = site
  if (steps.length === 0) {
    print(`${runtime} is already configured: ${changes.map(({ path }) => path).join(', ')}`)
  }
  for (const note of notes) print(`note: ${note}`)
  if (restart !== undefined && steps.length > 0) {
    const { unit, reads, verb = 'restart' } = restart
    if (isToRestart) restartDaemon(site, unit, verb)
    else if (verb !== 'restart') print(`have ${unit} read ${reads}: systemctl ${verb} ${unit}`)
    else
      print(`restart ${unit}, which reads ${reads} only when it starts: systemctl restart ${unit}`)
  }
  print(`${runtime}: ${use}`)
}
