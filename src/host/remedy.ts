/** What to do about the errors of a system that has no room for something, or refuses it. */

/**
 * What an error of `code` says about `place`, a file or a directory, and what to do; `undefined` where the code alone does
 * not tell.
 */
export function remedyFor(code: string | undefined, place: string): string | undefined {
  return shortageRemedy(code, place) ?? (code && shapeRemedy(code, place))
}

/** The same for the errors that say nothing of the file, but that the system has no room at the moment. */
export function shortageRemedy(code: string | undefined, place: string): string | undefined {
  switch (code) {
    case 'ENOSPC':
      return `the file system of ${place} is full: make room there; df ${place} and df -i ${place} show how much there is`
    case 'EDQUOT':
      return `the disk quota for ${place} is used up: make room there, or raise it`
    case 'EROFS':
      return `the file system of ${place} is read-only: have it mounted for writing; findmnt -T ${place} shows it`
    case 'EMFILE':
      return 'the process has as many files open as it may: procveil doctor says what to do'
    case 'ENFILE':
      return 'the service, or the host, has as many files open as it may: procveil doctor says what to do'
    default:
      return undefined
  }
}

function shapeRemedy(code: string, place: string): string | undefined {
  if (code === 'EISDIR') return `${place} is a directory: remove it`
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return `what ${place} is to lie in is no directory: remove that`
  }
  return undefined
}
