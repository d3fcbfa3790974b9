/**
 * The C library by foreign function calls. Binding a symbol compiles a few instructions (30 us each, 0.5 ms for
 * the first), so every room of sys/ binds its own symbols, when the first of them is called.
 */

import { dlopen, type FFIFunction, FFIType, type Pointer, read } from 'bun:ffi'
import { SysError } from './error.ts'

export const int = FFIType.i32
export const long = FFIType.i64_fast
export const pointer = FFIType.ptr
export const nothing = FFIType.void

/** Symbols of libc, bound at the first call of the function returned. */
export function libc<Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  let bound: ReturnType<typeof dlopen<Symbols>>['symbols'] | undefined
  return () => {
    bound ??= dlopen('libc.so.6', symbols).symbols
    return bound
  }
}

const location = libc({ __errno_location: { args: [], returns: pointer } })

/** errno of this thread's last failed call. */
export function errno(): number {
  return read.i32(location().__errno_location() as Pointer, 0)
}

/** Returns the result of a call. Throws a SysError when it is -1. */
export function checked(result: number, syscall: string, action: string): number {
  if (result === -1) throw new SysError(syscall, errno(), action)
  return result
}

export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`)
