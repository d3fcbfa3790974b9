/** A made-up machine on which `procveil configure` runs, with programs that are functions. */

import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type ConfigureOptions, perform } from '../../../src/command/configure/perform.ts'
import type { Ran } from '../../../src/command/configure/run.ts'
import { type Machine, machine } from '../../machines/machine.ts'

/** procveil-runtime, which a package has installed. */
export const WRAPPER = 'usr/bin/procveil-runtime'

export type Programs = Readonly<Record<string, (args: readonly string[]) => Partial<Ran>>>

export interface TestSite {
  host: Machine
  /** Runs the command, and returns what it printed. */
  configure(runtime: string | undefined, options?: ConfigureOptions): string
  /** Every program that was run, with its arguments. */
  ran: string[][]
  /** All files but procveil-runtime, by path, with their texts. */
  files(): Record<string, string>
}

export function siteOf(
  t: Test,
  files: Readonly<Record<string, string>>,
  programs: Programs = {},
): TestSite {
  const host = machine(t, { [WRAPPER]: '#!/bin/sh\n', ...files })
  chmodSync(host.path(WRAPPER), 0o755)
  const ran: string[][] = []
  const run = (program: string, args: readonly string[]): Ran => {
    ran.push([program, ...args])
    const found = programs[program]
    const missing = { status: undefined, isMissing: true, stdout: '', stderr: 'ENOENT' }
    const fine = { status: 0, isMissing: false, stdout: '', stderr: '' }
    return found === undefined ? missing : { ...fine, ...found(args) }
  }
  return {
    host,
    ran,
    configure(runtime, options = {}) {
      const lines: string[] = []
      perform({ host, run, print: line => lines.push(line) }, runtime, options)
      return lines.join('\n')
    },
    files() {
      const names = readdirSync(host.directory, { recursive: true, withFileTypes: true })
      const paths = names
        .filter(entry => entry.isFile())
        .map(entry => `${entry.parentPath}/${entry.name}`.slice(host.directory.length + 1))
        .filter(path => path !== WRAPPER)
      return Object.fromEntries(paths.sort().map(path => [path, host.read(path)]))
    },
  }
}

export const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/configure/${name}`, import.meta.url), 'utf8')

/** The files without the records, which are nobody's but ours. */
export const withoutRecords = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(files).filter(
      ([path]) => !path.startsWith('var/lib/procveil') && path !== 'run/procveil-runtime.used',
    ),
  )
