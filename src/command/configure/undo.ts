/** Takes back what was configured: the files get the bytes that they had. */

import { describe } from '../../sys/log.ts'
import { canLook, leaveRuntime } from './docker-left.ts'
import { readText, removeDirectories, removeText, writeText } from './files.ts'
import { CHOICE } from './low-level.ts'
import type { Runtime } from './names.ts'
import { originalOf } from './original.ts'
import {
  forgetRecord,
  hashOf,
  markUsed,
  type Recorded,
  type RecordedFile,
  readRecords,
  writeRecord,
} from './record.ts'
import { restartDaemon } from './restart.ts'
import type { Site } from './site.ts'
import { renderDiff } from './step.ts'

export interface UndoChoices {
  dryRun: boolean
  restart: boolean
}

/** The daemons that know nothing of it until they start again. */
const RESTARTED: readonly Runtime[] = ['docker', 'containerd', 'isulad']

/** Undoes one runtime, or all. What cannot be undone is told when the others are; then it throws. */
export function undo(site: Site, runtime: Runtime | undefined, choices: UndoChoices): void {
  let left = readRecords(site.host)
  const wanted = left.filter(each => runtime === undefined || each.runtime === runtime)
  if (wanted.length === 0) {
    const what = runtime === undefined ? 'no runtime is' : `${runtime} is not`
    site.print(`${what} configured by procveil: nothing is to be undone`)
    return
  }
  const failures: string[] = []
  for (const recorded of wanted) {
    const others = left.filter(each => each !== recorded)
    try {
      undoRecord(site, recorded, others, choices)
      left = others
    } catch (error) {
      failures.push(describe(error))
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.join('; '))
}

function undoRecord(
  site: Site,
  recorded: Recorded,
  others: readonly Recorded[],
  { dryRun, restart }: UndoChoices,
): void {
  const { runtime, asRuntime, files } = recorded
  const chosen = readText(site.host, CHOICE) ?? ''
  let isChanged = false
  const left: RecordedFile[] = []
  // What a file names stays there until that file is undone.
  for (const file of files.toReversed()) {
    const user = others.find(each => each.files.some(({ path }) => path === file.path))?.runtime
    if (user === undefined) {
      const undone = undoFile(site, file, dryRun)
      isChanged = undone.isChanged || isChanged
      if (undone.left !== undefined) left.push(undone.left)
    } else if (!dryRun) site.print(`kept ${file.path}: ${user} has the hook by it too`)
  }
  if (dryRun) return
  if (left.length === 0) forgetRecord(site.host, runtime)
  else writeRecord(site.host, { runtime, ...NOTHING, files: left })
  if (asRuntime) markUsed(site.host, chosen)
  if (isChanged && RESTARTED.includes(runtime)) tellOfRestart(site, recorded, restart)
}

function tellOfRestart(site: Site, { runtime, asRuntime, files }: Recorded, restart: boolean) {
  if (runtime === 'containerd') {
    site.print('note: pods whose RuntimeClass has the handler procveil do not start from then on')
  }
  if (runtime === 'docker' && asRuntime && !files.some(file => canLookAt(site, file))) {
    site.print(
      'note: containers of docker are not found; those that were created with the runtime procveil start after the ' +
        'restart only if daemon.json has "runtimes": {"procveil": {"path": "runc"}}',
    )
  }
  if (restart) restartDaemon(site, runtime)
  else site.print(`restart ${runtime} to have it forget the hook: systemctl restart ${runtime}`)
}

/** What is recorded of a runtime of which only an entry is left. */
const NOTHING = { setAsDefault: false, asRuntime: false, asDevice: false }

const canLookAt = (site: Site, { path, kind }: RecordedFile): boolean =>
  kind === 'docker' && canLook(site, path, readText(site.host, path) ?? '')

interface Undone {
  isChanged: boolean
  /** The record of what stays in the file. */
  left?: RecordedFile
}

function undoFile(site: Site, file: RecordedFile, dryRun: boolean): Undone {
  const { host, print } = site
  const { path, kind, directories } = file
  const current = readText(host, path)
  const { text: before, isEdited } = originalOf(file, current)
  const left = kind === 'docker' ? leaveRuntime(site, path, current, before) : undefined
  const text = left?.text ?? before
  const isChanged = text !== current
  if (dryRun) {
    if (isChanged) print(renderDiff({ path, current, text }))
    return { isChanged }
  }
  if (text !== undefined && isChanged) writeText(host, path, text)
  if (text === undefined && isChanged) removeText(host, path)
  if (text === undefined) removeDirectories(host, directories)
  const edited = isEdited ? ', which others have edited since: only what is ours was taken out' : ''
  if (isChanged) print(`${text === undefined ? 'removed' : 'restored'} ${path}${edited}`)
  else if (isEdited && left === undefined) {
    print(`left ${path} alone: nothing in it is ours any more`)
  }
  if (left === undefined) return { isChanged }
  print(left.reason)
  const record = { ...file, before, written: hashOf(left.text), left: left.program }
  return { isChanged, left: record }
}
