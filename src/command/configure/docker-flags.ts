/**
 * What dockerd's command line says of runtimes, and of its directory. With an option that its file has too it does not
 * start, but for `runtimes`, which it merges: skipDuplicates in moby's daemon/config/config.go, since 18.09. On SIGHUP it
 * forgets those of the command line, where the file has some: reloadPlatform in daemon/reload_unix.go, measured with 20.10.24.
 */

import type { Situation } from './plan.ts'

export const DOCKER_UNIT = 'docker.service'

export interface DockerFlags {
  /** The paths that `--add-runtime` has, by name. */
  runtimes: Readonly<Record<string, string>>
  defaultRuntime: string | undefined
  dataRoot: string | undefined
}

/** Asks systemd. There are none where it does not know of the daemon. */
export function readDockerFlags({ host, run }: Pick<Situation, 'host' | 'run'>): DockerFlags {
  const properties = 'ExecStart,Environment,EnvironmentFiles'
  const { status, stdout } = run('systemctl', ['show', `--property=${properties}`, DOCKER_UNIT])
  return parseDockerFlags(status === 0 ? stdout : '', path => host.tryRead(path.slice(1)))
}

/**
 * Takes the flags out of what `systemctl show` prints. Where the command line has variables, as Debian's has $DOCKER_OPTS,
 * all values of the environment count, also those in its files, which `read` reads.
 */
export function parseDockerFlags(
  shown: string,
  read: (path: string) => string | undefined,
): DockerFlags {
  const linesOf = (property: string) =>
    shown.split('\n').filter(line => line.startsWith(`${property}=`))
  const command = linesOf('ExecStart').join('\n')
  const files = linesOf('EnvironmentFiles').flatMap(line => /=(\/\S+)/.exec(line)?.[1] ?? [])
  const environment = [...linesOf('Environment'), ...files.map(path => withoutComments(read(path)))]
  const text = [command, ...(command.includes('$') ? environment : [])].join('\n')
  const added = valuesOf(text, 'add-runtime').flatMap(value => {
    const [name = '', path = ''] = value.split('=')
    return path === '' ? [] : [[name, path] as const]
  })
  return {
    runtimes: Object.fromEntries(added),
    defaultRuntime: valuesOf(text, 'default-runtime').at(-1),
    dataRoot: valuesOf(text, 'data-root').at(-1),
  }
}

const withoutComments = (text = '') => text.replace(/^\s*#.*$/gm, '')

const valuesOf = (text: string, flag: string): string[] =>
  [...text.matchAll(new RegExp(`(?<=^|[\\s"'=])--${flag}(?:=|\\s+)["']?([^\\s"';]+)`, 'gm'))].map(
    ([, value = '']) => value,
  )
