/** What doctor says of a site, and the commands that it names, which are run as it names them. */

import { execa } from 'execa'
import type { Finding } from '../../src/command/doctor/finding.ts'
import type { Site } from './site.ts'

/** What is found that is not as it should be. Other tests have mounts on this machine, and it has runtimes. */
export async function examine(here: Site): Promise<Finding[]> {
  const { stdout, stderr } = await here.procveil(['doctor', '--json'])
  if (stdout === '') throw new Error(`Cannot examine ${here.mountPoint}: ${stderr}`)
  const findings: Finding[] = JSON.parse(stdout)
  return findings.filter(({ check, level }) => level === 'problem' && check !== 'mounts')
}

/** Returns what is found of the mount; throws where that is no problem. */
export async function findProblem(here: Site): Promise<Finding> {
  const problems = await examine(here)
  const found = problems.find(({ check }) => check === 'mount')
  if (found === undefined) throw new Error(`Cannot find a problem: ${JSON.stringify(problems)}`)
  return found
}

/** The commands of an advice: what comes after `: ` says what they do. */
const commandOf = ({ advice = '' }: Finding) => advice.split(': ')[0] ?? ''

/** A shell's procveil of this site, which leaves alone the machine's other containers. */
const PROCVEIL =
  'procveil() { case "$1" in remount) set -- "$@" --registered; esac; "$EXECUTABLE" $OPTIONS "$@"; }'

/** Runs what the advice of a finding names. */
export function follow(here: Site, finding: Finding) {
  const env = { EXECUTABLE: here.executable, OPTIONS: here.options.join(' ') }
  const script = `${PROCVEIL}; ${commandOf(finding)}`
  return execa('sh', ['-c', script], { env, reject: false, timeout: 60_000 })
}
