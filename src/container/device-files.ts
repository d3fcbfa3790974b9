/**
 * The block devices of containers, as a worker has found them. A file in the run directory for each init says them to
 * the server, which itself looks into no container.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import {
  arrayOf,
  check,
  type Fields,
  naturalOf,
  objectOf,
  parseObject,
  stringOf,
} from '../host/json.ts'
import { replaceFile } from '../host/replace-file.ts'
import type { DeviceNumber } from '../proc/disk/counters.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import type { KnownProcess } from './identity.ts'

export interface CollectedDevices extends ContainerDevices {
  /** When they were found, in microseconds of CLOCK_MONOTONIC. */
  collectedUsec: number
  /** Whether the container's root was not its init's yet: its program may find more. */
  isEarly: boolean
}

type Init = Required<KnownProcess>

const PARSE = 'parse the devices of a container'

/** A server that is asked by many processes without a registration has a file for each of their inits. */
const MOST_FILES = 4096

export class DeviceFiles {
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/devices`
  }

  /** `undefined` where none were found yet, and when the file was damaged. */
  find(init: Init): CollectedDevices | undefined {
    try {
      return parseDevices(readFileSync(this.#file(init), 'utf8'))
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return undefined
      if (error instanceof Error && 'code' in error) return undefined
      throw error
    }
  }

  /** `isAlive` tells whose file may go where there are too many. */
  save(init: Init, devices: CollectedDevices, isAlive: (init: Init) => boolean): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    replaceFile(this.#file(init), JSON.stringify(devices))
    const names = readdirSync(this.#directory)
    if (names.length <= MOST_FILES) return
    for (const name of names) {
      const [pid = 0, startTicks = 0] = name.split('-').map(Number)
      if (!isAlive({ pid, startTicks })) rmSync(`${this.#directory}/${name}`, { force: true })
    }
  }

  remove(init: Init): void {
    rmSync(this.#file(init), { force: true })
  }

  #file({ pid, startTicks }: Init): string {
    return `${this.#directory}/${pid}-${startTicks}`
  }
}

function parseDevices(text: string): CollectedDevices {
  const { nodes, rootDisk, collectedUsec, isEarly } = parseObject(PARSE, text)
  return {
    nodes: check(PARSE, 'nodes', nodes, arrayOf).map(node => {
      const fields = check(PARSE, 'nodes', node, objectOf)
      const { name, wholeDisk } = fields
      return {
        name: check(PARSE, 'name', name, stringOf),
        ...parseNumber(fields),
        wholeDisk: parseOptional(wholeDisk),
      }
    }),
    rootDisk: parseOptional(rootDisk),
    collectedUsec: check(PARSE, 'collectedUsec', collectedUsec, naturalOf),
    isEarly: isEarly === true,
  }
}

const parseOptional = (value: unknown) =>
  value === undefined ? undefined : parseNumber(check(PARSE, 'wholeDisk', value, objectOf))

function parseNumber({ major, minor }: Fields): DeviceNumber {
  return {
    major: check(PARSE, 'major', major, naturalOf),
    minor: check(PARSE, 'minor', minor, naturalOf),
  }
}
