/** What this process may do: capabilities(7), capget(2). */

import { checked, int, libc, pointer } from './libc.ts'

/** The numbers of linux/capability.h. */
export const CAP_DAC_READ_SEARCH = 2
export const CAP_SYS_PTRACE = 19

/** _LINUX_CAPABILITY_VERSION_3: three words of 32 bits, twice, for effective, permitted and inheritable ones. */
const VERSION = 0x20080522
const EFFECTIVE = [0, 3]

const calls = libc({
  capget: { args: [pointer, pointer], returns: int },
  capset: { args: [pointer, pointer], returns: int },
})

/**
 * Has this thread, and those that it starts from now on, use no capabilities but these; it uses none that it did not use
 * before. They stay permitted: a program that root runs uses all of them again, also under no_new_privs, where it would
 * get none back that the process had given away. Takes 0.8 ms, most of it for binding. Throws a SysError.
 */
export function useOnly(capabilities: readonly number[]): void {
  const header = new Uint32Array([VERSION, 0])
  const sets = new Uint32Array(6)
  checked(calls().capget(header, sets), 'capget', 'read the capabilities of this process')
  for (const [word, at] of EFFECTIVE.entries()) {
    const wanted = capabilities.filter(each => each >> 5 === word)
    const mask = wanted.reduce((bits, each) => bits | (1 << (each & 31)), 0)
    sets[at] = (sets[at] ?? 0) & mask
  }
  checked(calls().capset(header, sets), 'capset', 'lay down capabilities of this process')
}
