/** A file without what procveil wrote into it. */

import { removeRuntime } from './containerd.ts'
import { restoreDocker } from './docker.ts'
import { removeHooks } from './edit-hooks.ts'
import { restoreHookSpec } from './isulad.ts'
import { hashOf, type RecordedFile } from './record.ts'

export interface Original {
  /** `undefined` where the file is to be gone. */
  text: string | undefined
  /** Whether others have changed the file since: then it is not, to the byte, what it was. */
  isEdited: boolean
}

/**
 * Takes what a record stands for out of the text that a file has now. Throws when others have changed it so that this
 * is not possible.
 */
export function originalOf(file: RecordedFile, current: string | undefined): Original {
  const { before, written } = file
  if (current === undefined || current === before) return { text: current, isEdited: false }
  if (hashOf(current) === written) return { text: before, isEdited: false }
  return { text: takeOut(file, current), isEdited: true }
}

function takeOut({ path, kind, before, left }: RecordedFile, current: string): string | undefined {
  switch (kind) {
    case 'own':
      // A file in which nothing is ours any more is somebody else's by now.
      return current.includes('procveil') ? before : current
    case 'docker':
      return unlessEmpty(before, restoreDocker(path, current, before, left))
    case 'isulad':
      return unlessEmpty(before, restoreHookSpec(path, current, before))
    case 'nri':
      return before
    case 'hooks':
      return removeHooks(path, current, [])
    case 'containerd':
      return unlessEmpty(before, removeRuntime(path, current))
  }
}

/** `undefined` for a file that we made and in which nothing is left. */
const unlessEmpty = (before: string | undefined, text: string): string | undefined =>
  before === undefined && /^\s*(\{\s*\}|version = \d)?\s*$/.test(text) ? undefined : text
