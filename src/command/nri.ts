/**
 * `procveil nri`: the plugin by which containerd and CRI-O give the containers of pods our hook. It is a process of its
 * own, which the keeper starts and no reader needs: what it waits for, and what it dies of, costs nobody else anything.
 */

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { access, constants, readFile } from 'node:fs/promises'
import { Host } from '../host/host.ts'
import {
  annotationsForHook,
  findMissed,
  hookRuntimeOf,
  type Missed,
  missedOf,
  optionsOf,
  refusalOf,
} from '../nri/adjust.ts'
import type { Adjustment, Hook } from '../nri/answers.ts'
import type { Container, CreateContainer, Pod, Runtime } from '../nri/messages.ts'
import { parseRules, type Rules } from '../nri/rules.ts'
import { runPlugin, SOCKETS } from '../nri/run-plugin.ts'
import type { Settings } from '../service/default-settings.ts'
import { INSTALLED, ownExecutable } from '../service/executable.ts'
import { commandLine, nriRules } from '../service/settings.ts'
import { useOnly } from '../sys/capabilities.ts'
import { systemClock } from '../sys/clock.ts'
import { errorCode } from '../sys/error.ts'
import { Log } from '../sys/log.ts'
import { endWithParent } from '../sys/process.ts'
import { guardedHookOf, HOOK_LOG } from './hooks/entry.ts'
import { findRejection } from './hooks/nri.ts'

/** What does not run yet is attached after so long, and once more for what takes long to start. */
const LATER_MS = [2000, 30_000]

/** Never returns. */
export async function nri(settings: Settings): Promise<never> {
  const log = new Log('nri', settings.log)
  endWithParent()
  standBack(log)
  const work = new Work(settings, log)
  const { socket } = (await work.readRules()) ?? {}
  return runPlugin(socket === undefined ? SOCKETS : [socket], work, log)
}

/** Uses no right but that of root to its own files, and is the first that is killed for want of memory. */
function standBack(log: Log): void {
  try {
    useOnly([])
    const own = '/proc/self/oom_score_adj'
    if (Number(readFileSync(own, 'utf8')) < 0) writeFileSync(own, '0')
  } catch (error) {
    log.error(error)
  }
}

class Work {
  readonly #settings: Settings
  readonly #log: Log
  readonly #hook: Hook
  #rules: Rules | undefined
  /** What keeps the runtime from applying hooks. */
  #refusal: string | undefined
  /** Containers are attached once at a time. */
  #attaching = Promise.resolve()
  /** Those whose time has come, by id. */
  readonly #due = new Map<string, Missed>()

  constructor(settings: Settings, log: Log) {
    this.#settings = settings
    this.#log = log
    const hookSettings = { ...settings, log: settings.log ?? HOOK_LOG }
    const hook = guardedHookOf(INSTALLED, commandLine(hookSettings))
    this.#hook = { ...hook, stages: ['createRuntime', 'poststop'] }
  }

  /**
   * The rules are read anew for each container: without the file, no container gets anything. Those of a file that was
   * damaged since hold on.
   */
  async readRules(): Promise<Rules | undefined> {
    const path = nriRules(this.#settings)
    try {
      this.#rules = parseRules(await readFile(path, 'utf8'), path)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') this.#rules = undefined
      else this.#log.error(error)
    }
    return this.#rules
  }

  adjust = async (request: CreateContainer): Promise<Adjustment | undefined> => {
    const rules = await this.readRules()
    if (rules === undefined) return undefined
    const { id } = request.container
    const refusal = refusalOf(request, rules)
    if (refusal === 'it has our hook already') return this.#adjustHooked(request)
    const cause = refusal ?? this.#refusal ?? (await this.#refusalOfHost())
    if (cause !== undefined) {
      this.#log.info(`left ${id} alone: ${cause}`)
      return undefined
    }
    this.#log.info(`gave ${id} the hook`)
    return { annotations: optionsOf(request), hook: this.#hook }
  }

  /** containerd does not tell a hook what its pod is annotated with. */
  #adjustHooked(request: CreateContainer): Adjustment | undefined {
    const annotations = annotationsForHook(request)
    const names = [...annotations.keys()].join(' ')
    this.#log.info(`left ${request.container.id} its own hook; annotations: ${names || 'none'}`)
    return annotations.size === 0 ? undefined : { annotations, hook: undefined }
  }

  /** A runtime that has been told to fail containers with hooks reads that when it starts, and then connects anew. */
  configured = ({ name }: Runtime): void => {
    this.#refusal = undefined
    try {
      const runtime = hookRuntimeOf(name)
      const found = runtime && findRejection(new Host('/', systemClock), runtime)
      this.#refusal = found && `${found.line} in ${found.path}`
    } catch (error) {
      this.#log.error(error)
    }
  }

  /** A hook whose shell is not there keeps the container from starting. */
  async #refusalOfHost(): Promise<string | undefined> {
    for (const path of [this.#hook.path, INSTALLED]) {
      try {
        await access(path, constants.X_OK)
      } catch {
        return `${path} is not there`
      }
    }
    return undefined
  }

  synchronized = (pods: readonly Pod[], containers: readonly Container[]): void => {
    this.#inTurn(async () => {
      const rules = this.#refusal === undefined ? await this.readRules() : undefined
      const missed = rules === undefined ? [] : findMissed(pods, containers, rules)
      const isRunning = ({ isRunning }: Missed) => isRunning
      this.#attachLater(missed.filter(each => !isRunning(each)))
      await this.#attach(missed.filter(isRunning))
    })
  }

  late = (request: CreateContainer): void => {
    this.#log.info(`attaches ${request.container.id} later: its answer came too late`)
    this.#attachLater([missedOf(request)])
  }

  #attachLater(missed: readonly Missed[]): void {
    if (missed.length === 0) return
    for (const afterMs of LATER_MS) setTimeout(() => this.#attachDue(missed), afterMs)
  }

  /** What becomes due while others are attached is done at once then. */
  #attachDue(missed: readonly Missed[]): void {
    for (const each of missed) this.#due.set(each.id, each)
    this.#inTurn(async () => {
      const due = [...this.#due.values()]
      this.#due.clear()
      if ((await this.readRules()) !== undefined) await this.#attach(due)
    })
  }

  #inTurn(attach: () => Promise<void>): void {
    this.#attaching = this.#attaching.then(attach).catch(error => this.#log.error(error))
  }

  /** Has another process attach those that run, as `remount` does. */
  async #attach(missed: readonly Missed[]): Promise<void> {
    if (missed.length === 0) return
    this.#log.info(`attaches containers that were created without the hook: ${missed.length}`)
    const options = missed.map(({ id, options }) => [id, Object.fromEntries(options)] as const)
    const { path, argv0 } = ownExecutable()
    const command = commandLine(this.#settings, 'remount', '--all', '--missed')
    const child = spawn(path, command, {
      argv0,
      cwd: '/',
      env: {},
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', () => resolve())
      child.stdin.on('error', () => {})
      child.stdin.end(JSON.stringify(Object.fromEntries(options)))
    })
  }
}
