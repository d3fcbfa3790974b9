/** Which hooks are ours, in what a runtime was given. */

import { basename } from 'node:path'
import { arrayOf, objectOf, stringOf } from '../../host/json.ts'

/** The path of the program that a hook runs, also where a shell runs it if it is there. */
export function programOf(hook: unknown): string | undefined {
  const { path, args } = objectOf(hook) ?? {}
  const script = namesOf(args)[1] === '-c' ? namesOf(args)[2] : undefined
  return /\bexec (\/\S+)/.exec(script ?? '')?.[1] ?? stringOf(path)
}

/**
 * Whether a hook is ours, which shows in its path, in its first argument, or in what its path links to: `resolve` says
 * the latter.
 */
export function isOurs(hook: unknown, resolve = (path: string) => path): boolean {
  const program = programOf(hook)
  if (program === undefined) return false
  const called = [program, namesOf(objectOf(hook)?.args)[0] ?? '', resolve(program)]
  return called.some(name => basename(name).startsWith('procveil'))
}

/** The strings of a list; none for a value that is no list. */
export const namesOf = (value: unknown): string[] =>
  (arrayOf(value) ?? []).filter(each => typeof each === 'string')
