/** What `doctor` finds at a site, and the commands that it says will help. */

import { execa } from 'execa'
import type { Test } from 'tap'
import type { Finding } from '../../src/command/doctor/finding.ts'
import type { Box } from './box.ts'
import { readMemTotal } from './mem-total.ts'
import { retry } from './requirements.ts'
import type { Site } from './site.ts'

const runtimeRoot = (here: Site) => ['--runtime-root', `${here.directory}/runc`]

/** What is not as it should be, without what the machine lacks: it says nothing of the site. */
export async function diagnose(here: Site): Promise<Finding[]> {
  const { stdout, stderr } = await here.toolkit('doctor', '--json', ...runtimeRoot(here))
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

/** Returns the one problem of a check. */
export async function problemOf(t: Test, here: Site, check: string): Promise<Finding> {
  const problems = (await diagnose(here)).filter(({ level }) => level === 'problem')
  t.strictSame(
    problems.map(each => each.check),
    [check],
    'doctor has one problem',
  )
  const [problem] = problems
  if (problem === undefined) throw new Error(`Cannot find the problem ${check}`)
  t.comment(`${problem.text} -> ${problem.advice}`)
  return problem
}

/** Runs the commands of an advice one after the other, those of ours at this site. */
export async function follow(t: Test, here: Site, advice: string | undefined): Promise<void> {
  const commands = (advice ?? '').match(/(procveil|prlimit) [^;&]*[^;& ]/g) ?? []
  t.ok(commands.length > 0, `there is a command in "${advice}"`)
  for (const command of commands) {
    const [program = '', ...args] = command.split(' ')
    const isAll = args.includes('--all')
    const { exitCode, stdout, stderr } =
      program === 'procveil'
        ? await here.toolkit(...args, ...(isAll ? runtimeRoot(here) : []))
        : await execa(program, args, { reject: false })
    t.equal(exitCode, 0, `${command}: ${stdout} ${stderr}`)
  }
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
