/**
 * A container in a captured machine. The machine is a folder with the files of the host and of cgroups that the views
 * read. The container's part is `containers/<id>/container.json` in it, which has the registration, the moment of the
 * capture, and the devices: a device node cannot be a file of the folder.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Container, parseContainer } from '../container/container.ts'
import { Host } from '../host/host.ts'
import { arrayOf, check, naturalOf, objectOf, parseObject } from '../host/json.ts'
import { type Moment, stoppedClock } from '../host/recording.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import { DEFAULT_OPTIONS } from '../proc/options.ts'
import type { ContainerView } from './container-view.ts'
import { openView } from './open-view.ts'

interface Captured extends Container {
  clock: Moment
  devices: ContainerDevices
}

const PARSE = 'parse a captured container'

export function renderCaptured(captured: Captured): string {
  return `${JSON.stringify(captured, undefined, 2)}\n`
}

/** Throws a SyntaxError or RangeError that names what is missing. */
function parseCaptured(text: string): Captured {
  const container = parseContainer(text)
  const { clock, devices } = parseObject(PARSE, text)
  const { monotonicUsec, boottimeUsec } = check(PARSE, 'clock', clock, objectOf)
  check(PARSE, 'devices.nodes', objectOf(devices)?.nodes, arrayOf)
  return {
    ...container,
    clock: {
      monotonicUsec: check(PARSE, 'clock.monotonicUsec', monotonicUsec, naturalOf),
      boottimeUsec: check(PARSE, 'clock.boottimeUsec', boottimeUsec, naturalOf),
    },
    devices: devices as ContainerDevices,
  }
}

/** The view of the container `id`, or of the only one, as it was when `folder` was captured. */
export function openCaptured(folder: string, id: string | undefined): ContainerView {
  const file = join(folder, 'containers', id ?? onlyContainer(folder), 'container.json')
  const captured = parseCaptured(readCaptured(file))
  const host = new Host(folder, stoppedClock(captured.clock))
  return openView(host, captured, { ...DEFAULT_OPTIONS, ...captured.options })
}

function readCaptured(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`Cannot read the captured container ${file}`, { cause })
  }
}

function onlyContainer(folder: string): string {
  const ids = listContainers(folder)
  const [id] = ids
  if (id !== undefined && ids.length === 1) return id
  const found = ids.join(', ') || 'none'
  throw new Error(`Cannot choose a container of ${folder}: it has ${found}; give --container-id`)
}

function listContainers(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'containers')).sort()
  } catch (cause) {
    throw new Error(`Cannot find a captured machine in ${folder}`, { cause })
  }
}
