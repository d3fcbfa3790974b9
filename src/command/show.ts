/**
 * `procveil show`: prints what a container would see in a file, rendered here and now; no mount and no server is
 * needed.
 */

import { writeFileSync } from 'node:fs'
import { Host } from '../host/host.ts'
import { FILES } from '../proc/files.ts'
import { type FilePath, findFile } from '../proc/paths.ts'
import type { Settings } from '../service/default-settings.ts'
import { systemClock } from '../sys/clock.ts'
import { openCaptured } from '../view/captured.ts'
import type { ContainerView } from '../view/container-view.ts'
import { openView } from '../view/open-view.ts'
import type { Choice } from './containers/choose.ts'
import { openRunning } from './containers/open-running.ts'

export interface ShowOptions extends Pick<Choice, 'containerId' | 'runtimeRoot'> {
  /** A captured machine instead of this one. */
  from?: string
  allFiles?: boolean
}

/** Returns the exit status. Throws when the container or the file cannot be found. */
export async function show(
  settings: Settings,
  name: string | undefined,
  options: ShowOptions,
): Promise<number> {
  const view =
    options.from === undefined
      ? await openRunningView(settings, options, 'show')
      : openCaptured(options.from, options.containerId)
  if (options.allFiles === true) {
    for (const { path, text } of renderAll(view)) write(`==> ${path} <==\n${text}\n`)
  } else {
    write(renderFile(view, chooseFile(name)))
  }
  return 0
}

/**
 * Opens the view of a running container, hooked or not: no mount is needed. `command` is the name of the caller in
 * errors.
 */
export async function openRunningView(
  settings: Settings,
  choice: Pick<Choice, 'containerId' | 'runtimeRoot'>,
  command: string,
): Promise<ContainerView> {
  const container = await openRunning(settings, choice, command)
  return openView(new Host('/', systemClock), container, container.options)
}

/** Returns the files that the host has, with what the container sees in them. */
export function renderAll(view: ContainerView): { path: FilePath; text: string }[] {
  return FILES.filter(({ path }) => view.hasHostFile(path)).map(({ path, render }) => ({
    path,
    text: render(view).toString(),
  }))
}

function renderFile(view: ContainerView, path: FilePath): string {
  const file = FILES.find(each => each.path === path)
  if (file !== undefined && view.hasHostFile(path)) return file.render(view).toString()
  throw new Error(`Cannot show ${path}: this host has no such file`)
}

function chooseFile(name: string | undefined): FilePath {
  const path = findFile(name)
  if (path !== undefined) return path
  const names = FILES.map(file => file.path).join(', ')
  const given = name === undefined ? 'no file was named' : `"${name}" is none of ours`
  throw new Error(`Cannot show a file: ${given}; give --all-files or one of ${names}`)
}

/** Writes the text to its end: process.stdout may still hold a part of it when we exit. */
function write(text: string): void {
  writeFileSync(1, text)
}
