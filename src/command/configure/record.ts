/**
 * What `procveil configure` has done, kept in a file for each runtime, so that it can be undone. Only root may read
 * it: daemons have passwords in their configuration.
 */

import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Host } from '../../host/host.ts'
import {
  arrayOf,
  check,
  type Fields,
  objectOf,
  parseObject,
  stringOf,
  textOf,
} from '../../host/json.ts'
import { replaceFile } from '../../host/replace-file.ts'
import { namesOf } from '../hooks/ours.ts'
import { removeDirectories } from './files.ts'
import { isRuntime, RUNTIMES, type Runtime } from './names.ts'
import type { Kind } from './plan.ts'

const DIRECTORY = 'var/lib/procveil/configured'

export interface RecordedFile {
  path: string
  kind: Kind
  /** The text before; `undefined` where there was no file. */
  before: string | undefined
  /** The SHA-256 of what was written. */
  written: string
  /** The directories that were made for it, the deepest first. */
  directories: readonly string[]
  /** The program that an entry of docker names without procveil, which was left for containers. */
  left: string | undefined
}

export interface Recorded {
  runtime: Runtime
  setAsDefault: boolean
  asRuntime: boolean
  asDevice: boolean
  /** In the order in which they were written. */
  files: readonly RecordedFile[]
}

export const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** Throws for a record that cannot be understood: what it stands for would never be undone. */
export function readRecords(host: Host): Recorded[] {
  return RUNTIMES.flatMap(runtime => {
    const text = host.tryRead(pathOf(runtime))
    return text === undefined ? [] : [parseRecord(`read /${pathOf(runtime)}`, text)]
  })
}

export function writeRecord(host: Host, recorded: Recorded): void {
  mkdirSync(host.path(DIRECTORY), { recursive: true, mode: 0o700 })
  replaceFile(host.path(pathOf(recorded.runtime)), renderRecord(recorded))
}

export function forgetRecord(host: Host, runtime: Runtime): void {
  rmSync(host.path(pathOf(runtime)), { force: true })
  removeDirectories(host, [`/${DIRECTORY}`, `/${dirname(DIRECTORY)}`])
}

/**
 * Notes, until the machine starts again, that daemons may still call procveil-runtime: who erases the package then leaves
 * a link to the runtime behind it in its place. `chosen` is that runtime, where no container has told of one so far.
 */
export function markUsed(host: Host, chosen: string): void {
  mkdirSync(host.path('run'), { recursive: true })
  const path = 'run/procveil-runtime.used'
  if (!host.tryRead(path)) writeFileSync(host.path(path), chosen)
}

const pathOf = (runtime: Runtime) => `${DIRECTORY}/${runtime}.json`

export function renderRecord({ files, ...others }: Recorded): string {
  const all = files.map(file => ({ ...file, before: file.before ?? null }))
  return `${JSON.stringify({ ...others, files: all }, undefined, 2)}\n`
}

export function parseRecord(action: string, text: string): Recorded {
  const fields = parseObject(action, text)
  return {
    runtime: check(action, 'runtime', fields.runtime, value =>
      isRuntime(value) ? value : undefined,
    ),
    setAsDefault: fields.setAsDefault === true,
    asRuntime: fields.asRuntime === true,
    // Earlier versions knew nothing else.
    asDevice: fields.asDevice !== false,
    files: check(action, 'files', fields.files, arrayOf).map(file =>
      parseFile(action, check(action, 'a file', file, objectOf)),
    ),
  }
}

const KINDS: readonly Kind[] = ['own', 'docker', 'containerd', 'isulad', 'nri', 'hooks']

function parseFile(action: string, file: Fields): RecordedFile {
  return {
    path: check(action, 'path', file.path, stringOf),
    kind: check(action, 'kind', file.kind, value => KINDS.find(kind => kind === value)),
    before: file.before === null ? undefined : check(action, 'before', file.before, stringOf),
    written: check(action, 'written', file.written, stringOf),
    directories: namesOf(file.directories),
    left: textOf(file.left),
  }
}
