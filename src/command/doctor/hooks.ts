/** Checks for which of the runtimes that are installed here containers get our hook. */

import type { Host } from '../../host/host.ts'
import { about, type Finding } from './finding.ts'
import { checkContainerd } from './hooks/containerd.ts'
import { checkHooksDirectories } from './hooks/directories.ts'
import { checkDocker } from './hooks/docker.ts'
import { isInstalled } from './hooks/installed.ts'
import { checkIsulad } from './hooks/isulad.ts'
import { checkNri } from './hooks/nri.ts'

const { warning, problem } = about('hooks')

export function checkHooks(host: Host): Finding[] {
  const checks = [
    checkHooksDirectories,
    checkIsulad,
    checkDocker,
    checkNri,
    checkContainerd,
    checkLxc,
  ]
  const findings = checks.flatMap(check => attempt(() => check(host)))
  if (findings.length > 0) return findings
  return [
    warning(
      'no runtime is found that has hooks for all containers',
      "put hooks/config-fragment.json into each bundle's config.json",
    ),
  ]
}

/** LXC has hooks in the configuration of each container, which somebody else writes. */
function checkLxc(host: Host): Finding[] {
  if (!isInstalled(host, 'lxc-start')) return []
  return [
    warning(
      'lxc-start: there is no place for a hook for all containers',
      'procveil remount --all when containers were started',
    ),
  ]
}

/** A configuration file that holds what it should not is a finding too. */
function attempt(check: () => Finding[]): Finding[] {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return [problem(error.message, 'correct the file')]
  }
}
