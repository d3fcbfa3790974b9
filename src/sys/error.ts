/** A system call that failed, with the fields that Node's own system errors have. */

export class SysError extends Error {
  readonly errno: number
  readonly code: string
  readonly syscall: string

  /** `action` continues the word Cannot: `open /dev/fuse`. */
  constructor(syscall: string, errno: number, action: string) {
    const code = errnoName(errno)
    super(`Cannot ${action}: ${syscall} failed with ${code}`)
    this.name = 'SysError'
    this.errno = errno
    this.code = code
    this.syscall = syscall
  }
}

/** Code of a system error, ours or Node's; `undefined` for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}

/** The code of an error, or of the nearest of its causes that has one. */
export function causeCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = errorCode(cause)
    if (code !== undefined) return code
  }
  return undefined
}

/** node:os is loaded at the first error only. */
function errnoName(errno: number): string {
  const { constants } = process.getBuiltinModule('node:os')
  for (const [name, value] of Object.entries(constants.errno)) {
    if (value === errno) return name
  }
  return `errno ${errno}`
}
