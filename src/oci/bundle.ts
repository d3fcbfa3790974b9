/** A bundle's config.json, as far as we need it: where the root file system is, and whether paths are masked. */

import { readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { arrayOf, check, objectOf, parseObject, textOf } from '../host/json.ts'
import type { State } from './state.ts'

const PARSE = 'parse config.json'

/** The largest config.json that is read. One with a thousand mounts has 250 KiB. */
export const MAX_CONFIG_BYTES = 4 * 2 ** 20

/** Returns the absolute path of the container's root file system, as the runtime sees it. */
export function findRootfs(state: State): string {
  const path = nameRootfs(state)
  try {
    // mountinfo has the path without symbolic links.
    return realpathSync(path)
  } catch {
    return path
  }
}

function nameRootfs(state: State): string {
  const root = state.root ?? readRoot(state)
  if (isAbsolute(root)) return join(root)
  if (state.bundle === undefined) {
    throw new Error(
      `Cannot find the root file system of ${state.id}: "${root}" is relative, and the state names no bundle`,
    )
  }
  return join(state.bundle, root)
}

/** Returns `root.path` of config.json. */
export function parseRoot(text: string): string {
  const { root } = parseObject(PARSE, text)
  return check(PARSE, 'root.path', objectOf(root)?.path, pathOf)
}

/** A path ends at a NUL for the kernel, which is one character more for us. */
function pathOf(value: unknown): string | undefined {
  const path = textOf(value)
  return path?.includes('\0') ? undefined : path
}

function readRoot(state: State): string {
  if (state.bundle === undefined) {
    throw new Error(
      `Cannot find the root file system of ${state.id}: the state names neither root nor bundle`,
    )
  }
  const file = join(state.bundle, 'config.json')
  try {
    return parseRoot(readConfig(file))
  } catch (cause) {
    throw new Error(
      `Cannot find the root file system of ${state.id} in ${file}: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/**
 * Whether the runtime masks paths of the container or makes them read-only, which it does only after its hooks. What is
 * not known is taken for a yes.
 */
export function masksPaths({ bundle }: Pick<State, 'bundle'>): boolean {
  if (bundle === undefined) return true
  try {
    return parseMasks(readConfig(join(bundle, 'config.json')))
  } catch {
    return true
  }
}

/** Returns whether `linux.maskedPaths` or `linux.readonlyPaths` of config.json name anything. */
export function parseMasks(text: string): boolean {
  const linux = objectOf(parseObject(PARSE, text).linux)
  return [linux?.maskedPaths, linux?.readonlyPaths].some(
    paths => paths !== undefined && paths !== null && arrayOf(paths)?.length !== 0,
  )
}

/** More masks than a machine has CPUs are of no runtime. */
const MOST_MASKS = 16_384

/**
 * The paths below one of `directories` that the runtime masks after its hooks, without a leading slash; none where that
 * is not known.
 */
export function readMasksBelow(
  { bundle }: Pick<State, 'bundle'>,
  directories: readonly string[],
): string[] {
  if (bundle === undefined) return []
  try {
    return parseMasksBelow(readConfig(join(bundle, 'config.json')), directories)
  } catch {
    return []
  }
}

export function parseMasksBelow(text: string, directories: readonly string[]): string[] {
  const masked = arrayOf(objectOf(parseObject(PARSE, text).linux)?.maskedPaths) ?? []
  const paths = masked.map(pathOf).filter(path => path !== undefined && isAbsolute(path))
  return paths
    .map(path => join(path as string).slice(1))
    .filter(path => directories.some(directory => path.startsWith(`${directory}/`)))
    .slice(0, MOST_MASKS)
}

function readConfig(file: string): string {
  const { size } = statSync(file)
  if (size > MAX_CONFIG_BYTES) {
    throw new RangeError(`it has ${size} bytes, and at most ${MAX_CONFIG_BYTES} are read`)
  }
  return readFileSync(file, 'utf8')
}
