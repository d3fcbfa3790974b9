/**
 * A container in a captured machine: a folder with the host and cgroup files that the views read, and
 * `containers/<id>/container.json`, which has its registration, the moment, and its devices: nodes cannot be files.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Container, parseContainer } from '../container/container.ts'
import { Host } from '../host/host.ts'
import { type Moment, stoppedClock } from '../host/recording.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import { DEFAULT_OPTIONS } from '../proc/options.ts'
import { type ContainerView, openView } from './container-view.ts'

interface Captured extends Container {
  clock: Moment
  devices: ContainerDevices
}

export function renderCaptured(captured: Captured): string {
  return `${JSON.stringify(captured, undefined, 2)}\n`
}

/** Throws a SyntaxError that names what is missing. */
function parseCaptured(text: string): Captured {
  const container = parseContainer(text)
  const { clock, devices } = JSON.parse(text) as Partial<Captured>
  if (!isNumber(clock?.monotonicUsec) || !isNumber(clock?.boottimeUsec)) {
    throw new SyntaxError('Cannot parse a captured container: clock has no two moments')
  }
  if (!Array.isArray(devices?.nodes)) {
    throw new SyntaxError('Cannot parse a captured container: devices has no nodes')
  }
  return { ...container, clock: clock as Moment, devices: devices as ContainerDevices }
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

const isNumber = (value: unknown) => typeof value === 'number' && value >= 0
