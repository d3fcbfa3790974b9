/**
 * The state of a container that a runtime gives to its hooks on stdin:
 * https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 */

import { checkId } from '../container/container.ts'
import { parseObject, quote, stringsOf } from '../host/json.ts'
import { MAX_STATE_BYTES } from './state-size.ts'

export interface State {
  id: string
  /** `undefined` once the container is stopped. */
  pid: number | undefined
  /** `creating`, `created`, `running` or `stopped`. Runtimes differ in which one a stage gets. */
  status: string
  /** The absolute path of the bundle, which is missing in what some runtimes write at the end. */
  bundle: string | undefined
  /** The root file system, as crun and iSulad add it. The path may be relative to the bundle. */
  root: string | undefined
  /** Empty when the runtime hands none over. */
  annotations: Readonly<Record<string, string>>
}

/** Throws a SyntaxError or RangeError that says what was found instead of a state. */
export function parseState(text: string): State {
  if (text.trim() === '') throw new SyntaxError('Cannot read the container state: stdin is empty')
  if (text.length > MAX_STATE_BYTES) {
    throw new RangeError(
      `Cannot read the container state: more than ${MAX_STATE_BYTES} bytes on stdin`,
    )
  }
  const fields = parseObject('read the container state from stdin', text)
  const status = optionalString('status', fields.status) ?? ''
  const state = {
    id: checkId(fields.id),
    status,
    bundle:
      optionalString('bundle', fields.bundle) ?? optionalString('bundlePath', fields.bundlePath),
    root: optionalString('root', fields.root),
    // An annotation that is no string is somebody else's.
    annotations: stringsOf(fields.annotations),
    pid: status === 'stopped' ? undefined : parsePid(fields.pid),
  }
  return state
}

/** Returns the pid of a process of the host. 0 stands for no process, and 1 is the host's own init. */
function parsePid(pid: unknown): number {
  if (typeof pid === 'number' && Number.isInteger(pid) && pid > 1 && pid < 2 ** 31) return pid
  throw new RangeError(
    `Cannot use the container state: pid is ${quote(pid)}; give the hook to prestart or createRuntime, where it is the pid of the container's init`,
  )
}

function optionalString(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && !value.includes('\0')) return value
  throw new SyntaxError(`Cannot use the container state: ${field} is no text`)
}
