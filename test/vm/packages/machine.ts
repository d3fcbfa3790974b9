/** What tests of packages do with the guest that they run in: it is a machine under systemd. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import { retry } from '../../kit/requirements.ts'
import { IMAGE } from '../podman.ts'

const PACKAGES = '/share/packages'
export const PROCVEIL = '/usr/libexec/procveil/procveil'
const TIMEOUT_MS = 240_000

/** Returns stdout. Throws with stderr when the command fails. */
export function run(command: string, ...args: string[]): string {
  return execute(command, args).stdout
}

function execute(command: string, args: readonly string[]) {
  return execaSync(command, args, {
    timeout: TIMEOUT_MS,
    stdin: 'ignore',
    all: true,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}

/** What three containers saw that were started one after the other: an emulated machine may be too slow for a hook's 12 s. */
export function lookThrice(look: () => string): string[] {
  return Array.from({ length: 3 }, () => look().replace(/\s+/g, ' '))
}

/** The packages of a version that a package manager takes, by the beginning of their name. */
function find(version: string, end: RegExp, names: readonly string[]): string[] {
  const files = readdirSync(PACKAGES)
  return names.map(name => {
    const found = files.find(
      file => end.test(file) && new RegExp(`^${name}[-_]${version}[-_]`).test(file),
    )
    if (found === undefined) throw new Error(`Cannot find ${name} ${version} in ${PACKAGES}`)
    return `${PACKAGES}/${found}`
  })
}

export interface PackageManager {
  /** Installs a version of packages, a newer one or an older one than before. Returns what was said meanwhile. */
  install(version: string, ...names: string[]): string
  /** Erases all of ours. */
  erase(): void
}

export const dpkg: PackageManager = {
  install(version, ...names) {
    const options = ['-y', '--no-install-recommends', '--allow-downgrades']
    return execute('apt-get', ['install', ...options, ...find(version, /\.deb$/, names)]).all
  },
  erase() {
    run('apt-get', 'purge', '-y', 'procveil*')
  },
}

/** Debian's rpm, which has no packages but ours to look for dependencies in. */
export const rpm: PackageManager = {
  install(version, ...names) {
    const options = ['--nodeps', '--oldpackage']
    return execute('rpm', ['--upgrade', ...options, ...find(version, /\.rpm$/, names)]).all
  },
  erase() {
    const names = run('rpm', '--query', '--all', '--queryformat', '%{NAME}\\n', 'procveil*')
    if (names !== '') run('rpm', '--erase', ...names.split('\n'))
  },
}

/** A container that reads its files ten times a second at most, and writes down what has failed. */
export class Reader {
  readonly name: string
  readonly #engine: 'podman' | 'docker'
  /** What the container sees, from the host: asking an engine takes seconds in an emulated machine. */
  #root = ''

  constructor(name: string, engine: 'podman' | 'docker' = 'podman', ...flags: string[]) {
    this.name = name
    this.#engine = engine
    const script = `
      n=0
      while :; do
        for file in meminfo stat cpuinfo uptime; do cat /proc/$file >/dev/null 2>>/failed; done
        n=$((n + 1)); echo $n >/count; usleep 100000
      done`
    const limited = ['--network', 'none', '--memory', '64m', '--name', name, ...flags]
    run(engine, 'run', '--detach', ...limited, IMAGE, 'sh', '-c', script)
    this.find()
  }

  /** Looks for its first process, which is another one when it was started again. Returns its number. */
  find(): string {
    const pid = run(this.#engine, 'inspect', '--format', '{{.State.Pid}}', this.name)
    this.#root = `/proc/${pid}/root`
    return pid
  }

  /** Returns what has failed so far; after a whole round of reads more. */
  async failures(): Promise<string> {
    const before = this.#count()
    await retry(() => {
      if (this.#count() < before + 2) throw new Error(`Cannot see ${this.name} read`)
    }, 60_000)
    return this.#read('failed')
  }

  memTotal(): string {
    return /^MemTotal.*$/m.exec(this.#read('proc/meminfo'))?.[0].replace(/\s+/g, ' ') ?? ''
  }

  /** The lines of its mountinfo about mounts of our kind. */
  mounts(): string[] {
    return this.#read('proc/1/mountinfo')
      .split('\n')
      .filter(line => line.includes('lxcfs'))
  }

  remove(): void {
    const atOnce = this.#engine === 'podman' ? ['--time', '0'] : []
    run(this.#engine, 'rm', '--force', ...atOnce, this.name)
  }

  #count(): number {
    return existsSync(`${this.#root}/count`) ? Number(this.#read('count')) : 0
  }

  #read(path: string): string {
    return readFileSync(`${this.#root}/${path}`, 'utf8')
  }
}

export const OWN = 'MemTotal: 65536 kB'
export const HOST =
  /^MemTotal.*$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[0].replace(/\s+/g, ' ') ?? ''

/** What is left of us on the machine, outside what an administrator keeps. */
export function traces(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => /lxcfs|procveil|\/var\/lib\/lxc/.test(line))
  const processes = readdirSync('/proc').filter(name => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/comm`, 'utf8') === 'procveil\n'
    } catch {
      return false
    }
  })
  const paths = ['/run/procveil', '/var/lib/procveil', '/var/lib/lxc', PROCVEIL].filter(existsSync)
  return [...mounts, ...processes.map(pid => `process ${pid}`), ...paths]
}

/** The version that serves; `undefined` when none does. */
export function servingVersion(): string | undefined {
  const file = '/run/procveil/service.json'
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}
