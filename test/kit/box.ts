/** A container under real runc, with our hook in its bundle. */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { execa, execaSync } from 'execa'
import type { Test } from 'tap'
import { BUSYBOX, retry } from './requirements.ts'
import {
  bindMount,
  DEV,
  type HookEntry,
  hookEntry,
  type Mount,
  PROC,
  renderConfig,
  SYS,
} from './runc-config.ts'
import type { Site } from './site.ts'

export interface BoxOptions {
  memoryBytes?: number
  /** What may be in swap besides; the kernel's choice when missing. */
  swapBytes?: number | undefined
  cpus?: string
  quotaUsec?: number
  rootfsPropagation?: 'shared' | 'slave' | 'private'
  maskedPaths?: readonly string[]
  /** Hook stages; [] starts the container without our hook. */
  stages?: readonly ('prestart' | 'createRuntime')[]
  /** Environment of the hook. */
  hookEnv?: readonly string[]
  hookArgs?: readonly string[]
  /** After which the runtime ends the hook; 20 when missing. */
  hookSeconds?: number
  /** What runs in the place of our hook. */
  hookProgram?: string
  /** Makes the host's programs available. */
  hostPrograms?: boolean
  withoutSys?: boolean
  annotations?: Readonly<Record<string, string>>
  /** What it runs; `sleep` when missing. */
  command?: readonly string[]
  /** Where runc keeps its state; in the site when missing. */
  runcRoot?: string
  /** Folder for the bundle. */
  parent?: string
  /** The cgroup above its own, which is new; who gives it removes it. */
  cgroupParent?: string
  /** The pid namespace to join, such as `/proc/PID/ns/pid`. */
  pidNamespace?: string
  /** A command that runs runc, such as `nsenter --target=PID --pid`. */
  within?: readonly string[]
  /** Root inside is the user 100000 of the host. */
  userNamespace?: boolean
  /** Mounts beyond those that every box has. */
  mounts?: readonly Mount[]
  /** All of its hooks, in the place of ours. */
  hooks?: Readonly<Record<string, readonly HookEntry[]>>
  /** Hooks that run before ours, in the stage prestart. */
  hooksBefore?: readonly HookEntry[]
  /** Inside; root when missing. */
  uid?: number
  /** None when missing. */
  capabilities?: readonly string[]
  /** Whether it may mount FUSE: /dev/fuse is there, for anybody. */
  fuse?: boolean
}

export class Box {
  readonly id: string
  readonly bundle: string
  /** Command line of runc up to its own command. */
  readonly #runc: readonly [string, ...string[]]

  constructor(site: Site, id: string, options: BoxOptions) {
    this.id = id
    this.bundle = mkdtempSync(join(options.parent ?? site.directory, `${id}-`))
    const runc = ['--root', options.runcRoot ?? join(site.directory, 'runc')]
    const [first, ...others] = options.within ?? []
    this.#runc = first === undefined ? ['runc', ...runc] : [first, ...others, 'runc', ...runc]
    makeRootfs(join(this.bundle, 'rootfs'))
    writeFileSync(join(this.bundle, 'config.json'), config(site, id, options))
  }

  runc(...args: string[]) {
    const [program, ...options] = this.#runc
    return execa(program, [...options, ...args], { timeout: 60_000, stdin: 'ignore' })
  }

  /** Command line that runs inside what is added to it. */
  get inside(): string[] {
    return [...this.#runc, 'exec', this.id]
  }

  /** Starts it; what it runs is `sleep`. */
  async start(): Promise<void> {
    const log = join(this.bundle, 'runc.log')
    // The container inherits runc's stdout: a pipe would never end.
    const [program, ...options] = this.#runc
    await execa(
      program,
      [...options, '--log', log, 'run', '--detach', '--bundle', this.bundle, this.id],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
        timeout: 60_000,
      },
    )
  }

  /** Output of a shell command inside. Throws when it fails. */
  async sh(command: string): Promise<string> {
    const { stdout } = await this.runc('exec', this.id, 'sh', '-c', command)
    return stdout
  }

  cat(path: string): Promise<string> {
    return this.sh(`cat ${path}`)
  }

  async pid(): Promise<number> {
    const { stdout } = await this.runc('state', this.id)
    return JSON.parse(stdout).pid
  }

  async update(...args: string[]): Promise<void> {
    await this.runc('update', ...args, this.id)
  }

  async remove(): Promise<void> {
    const [program, ...options] = this.#runc
    await retry(() => {
      execaSync(program, [...options, 'delete', '--force', this.id], { reject: false })
      const { exitCode } = execaSync(program, [...options, 'state', this.id], { reject: false })
      if (exitCode === 0) throw new Error(`Cannot delete container ${this.id}`)
    })
    rmSync(this.bundle, { recursive: true, force: true })
  }
}

/** A box that is gone when the test ends. */
export function box(t: Test, site: Site, id: string, options: BoxOptions = {}): Box {
  const made = new Box(site, id, options)
  t.teardown(() => made.remove())
  return made
}

export async function started(
  t: Test,
  site: Site,
  id: string,
  options: BoxOptions = {},
): Promise<Box> {
  const made = box(t, site, id, options)
  await made.start()
  return made
}

/** Busybox and empty folders. */
export function makeRootfs(rootfs: string): void {
  for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'usr', 'lib', 'lib64']) {
    mkdirSync(join(rootfs, directory), { recursive: true })
  }
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'))
  chmodSync(join(rootfs, 'bin/busybox'), 0o755)
  const applets = execaSync(BUSYBOX, ['--list']).stdout.split('\n')
  for (const applet of applets) {
    // A hard link: ext4 takes 40 times as long to make a symbolic one.
    if (applet !== 'busybox') linkSync(join(rootfs, 'bin/busybox'), join(rootfs, 'bin', applet))
  }
}

function config(site: Site, id: string, options: BoxOptions): string {
  const { stages = ['prestart'], hookArgs = [], pidNamespace, rootfsPropagation } = options
  const { maskedPaths, hooksBefore = [], uid, capabilities, fuse, hookSeconds = 20 } = options
  const entry = (...args: string[]): HookEntry => {
    const made = hookEntry(site, args, hookSeconds)
    const { hookEnv: env = made.env, hookProgram: path = made.path } = options
    return { ...made, env, path }
  }
  const hooks = Object.fromEntries(
    stages.map(stage => [
      stage,
      [...(stage === 'prestart' ? hooksBefore : []), entry(...hookArgs)],
    ]),
  )
  return renderConfig({
    rootfs: 'rootfs',
    command: options.command ?? ['sleep', '1000'],
    env: ['PATH=/usr/bin:/usr/sbin:/bin', 'TERM=xterm'],
    hostname: 'box',
    mounts: mounts(site, options),
    uid,
    capabilities,
    fuse,
    annotations: options.annotations ?? {},
    hooks: options.hooks ?? (stages.length === 0 ? {} : { ...hooks, poststop: [entry()] }),
    // Below the cgroups of the caller, and no other test's: many call their container the same.
    cgroupsPath: join(options.cgroupParent ?? '', `${basename(site.directory)}-${id}`),
    namespaces: [
      { type: 'pid', path: pidNamespace },
      ...['ipc', 'uts', 'mount'].map(type => ({ type })),
      ...(options.userNamespace ? [{ type: 'user' }] : []),
    ],
    rootfsPropagation,
    maskedPaths,
    resources: options,
  })
}

function mounts(site: Site, options: BoxOptions): Mount[] {
  const { hostPrograms, withoutSys, fuse, mounts = [] } = options
  const programs = ['/usr', '/lib', '/lib64']
    .filter(path => existsSync(path))
    .map(path => bindMount(path))
  return [
    PROC,
    DEV,
    ...(withoutSys ? [] : [SYS]),
    ...(hostPrograms ? programs : []),
    ...(fuse ? [bindMount(site.fuseDevice(), '/dev/fuse')] : []),
    ...mounts,
  ]
}
