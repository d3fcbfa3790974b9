/**
 * `procveil capture`: saves what a container's view is made of, for a report or a test. It saves exactly the host and
 * cgroup files that are read for the view, and what the container sees; no environment, and no command lines.
 */

import { writeFileSync } from 'node:fs'
import { Host } from '../host/host.ts'
import { OutputFolder } from '../host/output-folder.ts'
import { RecordingHost, stoppedClock } from '../host/recording.ts'
import { FILES } from '../proc/files.ts'
import type { Settings } from '../service/default-settings.ts'
import { systemClock } from '../sys/clock.ts'
import { printable } from '../sys/printable.ts'
import { renderCaptured } from '../view/captured.ts'
import { openView } from '../view/open-view.ts'
import type { Choice } from './containers/choose.ts'
import { openRunning } from './containers/open-running.ts'
import { renderAll } from './show.ts'

export interface CaptureOptions extends Pick<Choice, 'containerId' | 'runtimeRoot'> {
  /** The folder that the files go to. */
  output: string
}

/** Returns the exit status. Throws when the container cannot be found or the folder cannot be written. */
export async function capture(
  settings: Settings,
  { output, ...choice }: CaptureOptions,
): Promise<number> {
  const host = new Host('/', systemClock)
  const container = await openRunning(settings, choice, 'capture')
  const folder = new OutputFolder(output)
  const clock = {
    monotonicUsec: systemClock.monotonicUsec(),
    boottimeUsec: systemClock.boottimeUsec(),
  }
  const { slot = 0 } = container
  const captured = { ...container, slot, rootfs: '', clock }

  const recording = new RecordingHost('/', stoppedClock(clock))
  const seen = renderAll(openView(recording, captured, captured.options))
  const saved = recording.save(folder, onlyCgroupMounts)
  const own = `containers/${container.id}`
  for (const { path, text } of seen) {
    saved.push(folder.write(`${own}/expect/${path}`, text, modeOf(path)))
  }
  // A registration is root's alone, too.
  saved.push(folder.write(`${own}/container.json`, renderCaptured(captured), 0o600))
  saved.push(folder.write('README.md', describeMachine(host), 0o644))
  folder.close()
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

/** The mode that the file has in a container. */
const modeOf = (path: string) => FILES.find(file => file.path === path)?.mode ?? 0o400
