/** What must not be there any more when a service has stopped and its containers are gone. */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { eachMount } from '../../src/host/mountinfo.ts'
import { signalAll } from '../kit/signal-all.ts'
import type { Site } from '../kit/site.ts'

/** Everything that is left of it, in words. */
export function findTraces(here: Site): string[] {
  return [...processes(here), ...mounts(here), ...cgroups(here), ...files(here)]
}

/** Those of our executable, whatever they do, and those that name the site. */
function processes(here: Site): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap(pid => {
      try {
        const isOurs =
          readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '') === here.executable
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return isOurs || args.includes(here.directory) ? [`process ${pid}: ${args}`] : []
      } catch {
        return []
      }
    })
}

function mounts(here: Site): string[] {
  const found: string[] = []
  eachMount(readFileSync('/proc/self/mountinfo', 'utf8'), ({ mountPoint }) => {
    if (mountPoint.startsWith(here.directory)) found.push(`mount ${mountPoint}`)
  })
  return found
}

/** Those of containers are called after the site: see box.ts. */
function cgroups(here: Site): string[] {
  const root = '/sys/fs/cgroup'
  const hierarchies = ['', ...readdirSync(root)].map(name => join(root, name))
  return hierarchies.flatMap(directory => {
    try {
      const own = readdirSync(directory).filter(name => name.startsWith(basename(here.directory)))
      return own.map(name => `cgroup ${directory}/${name}`)
    } catch {
      return []
    }
  })
}

/** What is kept for a container, or for a reader, is gone with it. */
function files(here: Site): string[] {
  return ['containers', 'devices', 'slots', 'state', 'texts'].flatMap(name => {
    const directory = join(here.runDirectory, name)
    const left = existsSync(directory) ? readdirSync(directory) : []
    return left.length === 0 ? [] : [`${left.length} files in ${name}: ${left.slice(0, 3)}`]
  })
}

/** All of ours that work there, at once, since each of two would start the other again. */
export function killProcesses(here: Site): void {
  const pids = here.processes().map(({ pid }) => pid)
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) signalAll(pids, signal)
}
