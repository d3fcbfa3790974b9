/**
 * The block devices of containers, as a worker has found them. A file in the run directory for each init says them to
 * the server, which itself looks into no container.
 */

import { mkdirSync, readdirSync, rmSync, type Stats, statSync } from 'node:fs'
import { readBeginning } from '../host/beginning.ts'
import { orUndefined } from '../host/host.ts'
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

/** A file has more only where it was damaged: what a container makes comes to 0.9 MB at most. */
const MOST_FILE_BYTES = 2 ** 20

/**
 * Any user of the host can make inits, and each that asks has a file. One that goes is no loss: the devices are looked
 * for again.
 */
const MOST_FILES = 2048
const MOST_BYTES = 16 * 2 ** 20

/** Where there is too much, so much of it stays: then not every save has to look who is alive. */
const KEPT_PART = 3 / 4

export class DeviceFiles {
  readonly #directory: string

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/devices`
  }

  /** `undefined` where none were found yet, and when the file was damaged. */
  find(init: Init): CollectedDevices | undefined {
    try {
      const { text, isWhole } = readBeginning(this.#file(init), MOST_FILE_BYTES)
      return isWhole ? parseDevices(text) : undefined
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return undefined
      if (error instanceof Error && 'code' in error) return undefined
      throw error
    }
  }

  /** Another one after each `save`; `undefined` where there is no file. */
  version(init: Init): string | undefined {
    const stat = orUndefined(() => statSync(this.#file(init), { bigint: true, ...MAYBE }))
    return stat && `${stat.ino} ${stat.mtimeNs}`
  }

  /** `isAlive` tells whose file may go first where there are too many. */
  save(init: Init, devices: CollectedDevices, isAlive: (init: Init) => boolean): void {
    const text = JSON.stringify(devices)
    const size = Buffer.byteLength(text)
    if (size > MOST_FILE_BYTES) throw new RangeError(`Cannot save devices of ${size} bytes`)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    replaceFile(this.#file(init), text)
    this.#makeRoom(nameOf(init), isAlive)
  }

  /** Removes files where there are too many: first those of inits that have ended, then the oldest. */
  #makeRoom(saved: string, isAlive: (init: Init) => boolean): void {
    const files = this.#list()
    let bytes = files.reduce((sum, { size }) => sum + size, 0)
    let count = files.length
    if (count <= MOST_FILES && bytes <= MOST_BYTES) return
    const others = files
      .filter(({ name }) => name !== saved)
      .map(file => ({ ...file, rank: hasEnded(file.name, isAlive) ? 0 : 1 }))
      .sort((a, b) => a.rank - b.rank || a.mtimeMs - b.mtimeMs)
    for (const { name, size } of others) {
      if (count <= MOST_FILES * KEPT_PART && bytes <= MOST_BYTES * KEPT_PART) return
      rmSync(`${this.#directory}/${name}`, { force: true })
      count--
      bytes -= size
    }
  }

  #list(): Listed[] {
    return readdirSync(this.#directory).flatMap(name => {
      const stat = statSync(`${this.#directory}/${name}`, MAYBE)
      return stat === undefined ? [] : [{ name, size: stat.size, mtimeMs: stat.mtimeMs }]
    })
  }

  remove(init: Init): void {
    rmSync(this.#file(init), { force: true })
  }

  #file(init: Init): string {
    return `${this.#directory}/${nameOf(init)}`
  }
}

interface Listed extends Pick<Stats, 'size' | 'mtimeMs'> {
  name: string
}

/** Another process may remove a file meanwhile. */
const MAYBE = { throwIfNoEntry: false } as const

const nameOf = ({ pid, startTicks }: Init) => `${pid}-${startTicks}`

/** What has another name is being written, or was left half written. */
function hasEnded(name: string, isAlive: (init: Init) => boolean): boolean {
  const [, pid, startTicks] = /^(\d+)-(\d+)$/.exec(name) ?? []
  return pid !== undefined && !isAlive({ pid: Number(pid), startTicks: Number(startTicks) })
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
        wholeDisk: parseOptional('wholeDisk', wholeDisk),
      }
    }),
    rootDisk: parseOptional('rootDisk', rootDisk),
    collectedUsec: check(PARSE, 'collectedUsec', collectedUsec, naturalOf),
    isEarly: isEarly === true,
  }
}

const parseOptional = (name: string, value: unknown) =>
  value === undefined ? undefined : parseNumber(check(PARSE, name, value, objectOf))

function parseNumber({ major, minor }: Fields): DeviceNumber {
  return {
    major: check(PARSE, 'major', major, naturalOf),
    minor: check(PARSE, 'minor', minor, naturalOf),
  }
}
