/**
 * Checks for which runtimes our hook is installed: the hook directories of podman and CRI-O, oci-hooks(5), and the
 * hook-spec of iSulad. Other runtimes have hooks only in the bundles that somebody else writes.
 */

import { accessSync, constants } from 'node:fs'
import { basename } from 'node:path'
import { type Host, realPath } from '../../host/host.ts'
import { objectOf, tryParseJson } from '../../host/json.ts'
import { about, type Finding, nameSome } from './finding.ts'

const HOOK_DIRECTORIES = ['etc/containers/oci/hooks.d', 'usr/share/containers/oci/hooks.d']
const ISULAD_CONFIG = 'etc/isulad/daemon.json'
const PROGRAM_DIRECTORIES = [
  'usr/bin',
  'usr/sbin',
  'usr/local/bin',
  'usr/local/sbin',
  'usr/libexec',
]

const { ok, warning, problem } = about('hooks')

export function checkHooks(host: Host): Finding[] {
  const findings = [...checkHookDirectories(host), ...checkIsulad(host)]
  const others = ['dockerd', 'containerd', 'lxc-start'].filter(name => isInstalled(host, name))
  if (others.length > 0) {
    findings.push(
      warning(
        `${others.join(', ')}: there is no place for a hook for all containers`,
        'procveil remount --all when containers were started, or hooks/config-fragment.json in their config.json',
      ),
    )
  }
  if (findings.length > 0) return findings
  return [
    warning(
      'no runtime is found that has hooks for all containers',
      "put hooks/config-fragment.json into each bundle's config.json",
    ),
  ]
}

function checkHookDirectories(host: Host): Finding[] {
  const runtimes = [
    ...(isInstalled(host, 'podman') ? ['podman'] : []),
    ...(isInstalled(host, 'crio') ? ['CRI-O'] : []),
  ].join(', ')
  const entries = HOOK_DIRECTORIES.flatMap(directory =>
    host
      .list(directory)
      .filter(name => name.endsWith('.json'))
      .map(name => ({ name, path: `${directory}/${name}` })),
  )
  // Of two files with one name, the one in the first directory counts.
  const counted = entries.filter(({ name }, at) => entries.findIndex(e => e.name === name) === at)
  const ours = counted.flatMap(({ path }) => {
    const entry = readJson(host, path)
    return isOurs(host, entry?.hook) ? [{ path, entry }] : []
  })
  if (ours.length === 0) {
    if (runtimes === '') return []
    const advice = 'copy hooks/50-procveil.json to /usr/share/containers/oci/hooks.d/'
    return [warning(`${runtimes}: our hook is not installed`, advice)]
  }
  const who = runtimes || 'podman, CRI-O (not installed)'
  return ours.map(({ path, entry }) =>
    checkEntry(host, {
      who,
      file: `/${path}`,
      hook: entry?.hook,
      stages: names(entry?.stages),
    }),
  )
}

function checkIsulad(host: Host): Finding[] {
  const config = readJson(host, ISULAD_CONFIG)
  if (config === undefined && !isInstalled(host, 'isulad')) return []
  const file = config?.['hook-spec']
  const advice = `set "hook-spec" in /${ISULAD_CONFIG} to the path of a copy of hooks/hookspec.json, and restart isulad`
  if (typeof file !== 'string' || file === '') {
    return [warning('isulad: our hook is not installed for all containers', advice)]
  }
  const spec = readJson(host, file.slice(1))
  if (spec === undefined) return [problem(`isulad: ${file} cannot be read`, advice)]
  const stages = Object.keys(spec).filter(stage => oursOf(host, spec[stage]) !== undefined)
  const entry = stages.map(stage => oursOf(host, spec[stage]))[0]
  if (entry === undefined) return [warning(`isulad: ${file} does not name our hook`, advice)]
  return [checkEntry(host, { who: 'isulad', file, hook: entry, stages })]
}

interface Entry {
  /** Whose configuration `file` is. */
  who: string
  file: string
  hook: unknown
  stages: readonly string[]
}

/**
 * Checks an entry with our hook: whether it has what the hook needs to bind the files, and to clean up behind a
 * container.
 */
function checkEntry(host: Host, { who, file, hook, stages }: Entry): Finding {
  const { path, env } = objectOf(hook) ?? {}
  if (typeof path !== 'string' || !isExecutable(host.path(path.slice(1)))) {
    return problem(
      `${who}: ${file} starts ${path}, which is no executable`,
      `put the executable at ${path}, or its path into ${file}`,
    )
  }
  if (!stages.includes('prestart') && !stages.includes('createRuntime')) {
    return problem(
      `${who}: ${file} runs the hook in ${nameSome(stages) || 'no stage'}`,
      `name createRuntime (iSulad: prestart) in ${file}`,
    )
  }
  if (!Array.isArray(env) || env.length === 0) {
    return problem(
      `${who}: ${file} gives the hook no environment of its own, so that it may get the container's`,
      `take "env" over from hooks/${who === 'isulad' ? 'hookspec.json' : '50-procveil.json'}`,
    )
  }
  if (!stages.includes('poststop')) {
    return warning(
      `${who}: ${file} does not run the hook in poststop: registrations of ended containers stay`,
      `name poststop too in ${file}`,
    )
  }
  return ok(`${who}: ${file}`)
}

const oursOf = (host: Host, entries: unknown) =>
  Array.isArray(entries) ? entries.find(entry => isOurs(host, entry)) : undefined

/** Whether a hook is ours, which shows in its path, in its first argument, or in what its path links to. */
function isOurs(host: Host, hook: unknown): boolean {
  const { path, args } = objectOf(hook) ?? {}
  if (typeof path !== 'string') return false
  const called = [path, names(args)[0] ?? '', realPath(host.path(path.slice(1)))]
  return called.some(name => basename(name).startsWith('procveil'))
}

const readJson = (host: Host, path: string) => objectOf(tryParseJson(host.tryRead(path) ?? ''))

const names = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const isInstalled = (host: Host, program: string) =>
  PROGRAM_DIRECTORIES.some(directory => host.has(`${directory}/${program}`))
