/**
 * `procveil capture`: saves what a container's view is made of, for a report or a test. It saves exactly the host and
 * cgroup files that are read for the view, and what the container sees; no environment, and no command lines.
 */

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { Host } from '../host/host.ts'
import { RecordingHost, saveFile, stoppedClock } from '../host/recording.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { printable } from '../sys/printable.ts'
import { renderCaptured } from '../view/captured.ts'
import { openView } from '../view/container-view.ts'
import { Devices } from '../view/devices.ts'
import { type Choice, chooseOne } from './containers/choose.ts'
import { renderAll } from './show.ts'

export interface CaptureOptions extends Pick<Choice, 'containerId' | 'runtimeRoot'> {
  /** The folder that the files go to. */
  output: string
}

/** Returns the exit status. Throws when the container cannot be found or the folder cannot be written. */
export function capture(settings: Settings, { output: folder, ...choice }: CaptureOptions): number {
  const host = new Host('/', systemClock)
  const container = chooseOne(host, settings, choice, 'capture')
  refuseFull(folder)
  const clock = {
    monotonicUsec: systemClock.monotonicUsec(),
    boottimeUsec: systemClock.boottimeUsec(),
  }
  const devices = new Devices(host, container).read()
  const { slot = 0 } = container
  const captured = { ...container, slot, rootfs: '', clock, devices }

  const recording = new RecordingHost('/', stoppedClock(clock))
  const seen = renderAll(openView(recording, captured, captured.options))
  const saved = recording.save(folder, onlyCgroupMounts)
  const own = `containers/${container.id}`
  for (const { path, text } of seen) saved.push(saveFile(folder, `${own}/expect/${path}`, text))
  saved.push(saveFile(folder, `${own}/container.json`, renderCaptured(captured)))
  saved.push(saveFile(folder, 'README.md', describeMachine(host)))
  writeFileSync(1, saved.map(path => `${printable(path)}\n`).join(''))
  return 0
}

/** Leaves out all other mounts of the machine, which are nobody's business. */
function onlyCgroupMounts(path: string, text: string): string {
  if (!path.endsWith('/mountinfo')) return text
  const lines = text.split('\n').filter(line => / - cgroup2? /.test(line))
  return `${lines.join('\n')}\n`
}

function describeMachine(host: Host): string {
  const release = host.read('proc/sys/kernel/osrelease').trim()
  return `Captured on Linux ${release} by \`procveil capture\`.\n`
}

function refuseFull(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`Cannot capture into ${folder}: it is not empty; name another folder`)
  }
}
