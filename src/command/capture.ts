/**
 * `procveil capture`: saves what a container's view is made of, for a report or a test: exactly the host and cgroup
 * files that are read for it, and what it sees. No environment, no command lines.
 */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderCaptured } from '../container/captured.ts'
import { Devices } from '../container/devices.ts'
import { isAlive } from '../container/identity.ts'
import { Registry } from '../container/registry.ts'
import { openView } from '../container/view.ts'
import { Host } from '../host/host.ts'
import { RecordingHost, stoppedClock } from '../host/recording.ts'
import { readDefaults } from '../server/config.ts'
import type { Settings } from '../server/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { renderAll } from './show.ts'

/** Returns the exit status. Throws when the container cannot be found or the folder cannot be written. */
export function capture(settings: Settings, id: string, folder: string): number {
  const host = new Host('/', systemClock)
  const container = new Registry(settings.runDirectory).resolve(id)
  if (!isAlive(host, container)) {
    throw new Error(`Cannot capture ${container.id}: its process ${container.pid} has ended`)
  }
  refuseFull(folder)
  const clock = {
    monotonicUsec: systemClock.monotonicUsec(),
    boottimeUsec: systemClock.boottimeUsec(),
  }
  const options = { ...readDefaults(settings), ...container.options }
  const devices = new Devices(host, container).read()
  const captured = { ...container, rootfs: '', options, clock, devices }

  const recording = new RecordingHost('/', stoppedClock(clock))
  const seen = renderAll(openView(recording, captured, options))
  const saved = recording.save(folder, onlyCgroupMounts)
  const own = `containers/${container.id}`
  for (const { path, text } of seen) saved.push(save(folder, `${own}/expect/${path}`, text))
  saved.push(save(folder, `${own}/container.json`, renderCaptured(captured)))
  saved.push(save(folder, 'README.md', describeMachine(host)))
  writeFileSync(1, `${saved.join('\n')}\n`)
  return 0
}

/** What else is mounted on the machine is nobody's business. */
function onlyCgroupMounts(path: string, text: string): string {
  if (!path.endsWith('/mountinfo')) return text
  const lines = text.split('\n').filter(line => / - cgroup2? /.test(line))
  return `${lines.join('\n')}\n`
}

function describeMachine(host: Host): string {
  const release = host.read('proc/sys/kernel/osrelease').trim()
  return `Captured on Linux ${release} by \`procveil capture\`.\n`
}

function save(folder: string, path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return path
}

function refuseFull(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`Cannot capture into ${folder}: it is not empty; name another folder`)
  }
}
