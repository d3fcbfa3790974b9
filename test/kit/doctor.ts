/** What `doctor` finds at a site, and the commands that it says will help. */

import { execa } from 'execa'
import type { Test } from 'tap'
import type { Finding } from '../../src/command/doctor/finding.ts'
import type { Box } from './box.ts'
import { readMemTotal } from './mem-total.ts'
import { retry } from './requirements.ts'
import { COVERS, type Site } from './site.ts'

const runtimeRoot = (here: Site) => `${here.directory}/runc`

/** What is not as it should be, without what the machine lacks: it says nothing of the site. */
export async function diagnose(here: Site): Promise<Finding[]> {
  const args = ['doctor', '--json', '--runtime-root', runtimeRoot(here)]
  const { stdout, stderr } = await here.covered([], ...args)
  if (stdout === '') throw new Error(`Cannot read what doctor says: ${stderr}`)
  const findings: Finding[] = JSON.parse(stdout)
  return findings.filter(({ level, check }) => level !== 'ok' && !OF_MACHINE.has(check))
}

const OF_MACHINE: ReadonlySet<string> = new Set([
  'hooks',
  'propagation',
  'systemd',
  'cgroups',
  // Other tests have mounts.
  'mounts',
])

/** Returns the problem of a check, which is the first of all. `others` are checks that it concerns as well. */
export async function problemOf(
  t: Test,
  here: Site,
  check: string,
  others: readonly string[] = [],
): Promise<Finding> {
  const problems = (await diagnose(here)).filter(({ level }) => level === 'problem')
  const checks = problems.map(each => each.check).filter(each => !others.includes(each))
  t.strictSame(checks, [check], 'doctor has one problem')
  const [problem] = problems
  if (problem === undefined) throw new Error(`Cannot find the problem ${check}`)
  t.comment(`${problem.text} -> ${problem.advice}`)
  return problem
}

/** The programs of an advice. What comes after `: ` says what a command does. */
const COMMAND = /^(procveil|prlimit|kill|echo) /

/** A shell's procveil of this site. What is about all containers leaves those of the machine alone. */
const PROCVEIL = `procveil() {
  case "$1" in
    remount) unshare --mount sh -c "$COVERED" sh "$EXECUTABLE" $OPTIONS "$@" --runtime-root "$RUNTIME_ROOT" ;;
    *) "$EXECUTABLE" $OPTIONS "$@" ;;
  esac
}`

/** Runs the commands of an advice one after the other, as a shell does. */
export async function follow(t: Test, here: Site, advice = ''): Promise<void> {
  const commands = advice
    .split(/; then |; | && /)
    .filter(text => COMMAND.test(text))
    .map(text => text.split(': ')[0])
  t.ok(commands.length > 0, `there is a command in "${advice}"`)
  const env = {
    ...{ EXECUTABLE: here.executable, OPTIONS: here.options.join(' ') },
    ...{ COVERED: [...COVERS, 'exec "$@"'].join(' && '), RUNTIME_ROOT: runtimeRoot(here) },
  }
  const script = `${PROCVEIL}; ${commands.join(' && ')}`
  const options = { env, reject: false, timeout: 60_000 } as const
  const { exitCode, stdout, stderr } = await execa('sh', ['-c', script], options)
  t.equal(exitCode, 0, `${commands.join(' && ')}: ${stdout} ${stderr}`)
}

/** That nothing is left to say, and that the containers, of 64 MiB each, see that. */
export async function isWell(t: Test, here: Site, boxes: readonly Box[]): Promise<void> {
  t.strictSame(await diagnose(here), [], 'doctor finds nothing more')
  for (const box of boxes) {
    await retry(async () => {
      const seen = await readMemTotal(box)
      if (seen !== String(64 * 1024)) throw new Error(`Cannot see its own: ${seen}`)
    })
  }
}
