/** What is bound into a container on this machine. */

import { existsSync } from 'node:fs'
import { DEFAULT_OPTIONS, filesToBind } from '../../src/proc/options.ts'

const ofHost = (paths: readonly string[]) =>
  paths.map(path => `/${path}`).filter(path => existsSync(path))

/** The files. */
export const BOUND = ofHost(DEFAULT_OPTIONS.files)

/** The files, and the directories that lie over some of them. */
export const MOUNTED = ofHost(filesToBind(DEFAULT_OPTIONS))
