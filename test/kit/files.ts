/** What is bound into a container on this machine. */

import { existsSync } from 'node:fs'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'

export const BOUND = DEFAULT_OPTIONS.files.map(path => `/${path}`).filter(path => existsSync(path))
