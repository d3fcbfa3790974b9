/** One file that changes, and how it is shown. */

import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

export interface Step {
  path: string
  /** `undefined` where there is no file. */
  current: string | undefined
  /** `undefined` where there is to be none. */
  text: string | undefined
}

/** A unified diff, as patch(1) takes it. */
export function renderDiff({ path, current, text }: Step): string {
  const nameOf = (there: string | undefined) => (there === undefined ? '/dev/null' : path)
  return createTwoFilesPatch(
    nameOf(current),
    nameOf(text),
    current ?? '',
    text ?? '',
    undefined,
    undefined,
    { headerOptions: FILE_HEADERS_ONLY },
  )
}
