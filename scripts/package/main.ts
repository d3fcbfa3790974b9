/**
 * `npm run package`: makes all that a release consists of in dist/packages, for x86-64 and arm64 on either. The same
 * sources give the same bytes. With `--fast` the same files are compressed less, in a fifth of the time: for tests.
 */

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { isInPath } from '../../test/kit/requirements.ts'
import { compile, VERSION } from '../build.ts'
import { fillArchive, pack } from './archive.ts'
import { makeDebs, makeRpms, PACKAGERS } from './packages.ts'
import { MACHINES, type Machine, PROJECT, readReleaseDate } from './release.ts'
import { fetchRunTime } from './run-time.ts'
import { renderBillOfMaterials, renderThirdParty } from './third-party.ts'

const IS_FAST = process.argv.includes('--fast')
const OUTPUT = join(PROJECT, 'dist/packages')

try {
  requireTools()
  make()
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

function requireTools(): void {
  const missing = Object.entries(PACKAGERS).filter(([tool]) => !isInPath(tool))
  if (missing.length === 0) return
  const names = missing.map(([, name]) => name).join(' ')
  throw new Error(`Cannot make packages: ${missing[0]?.[0]} is missing; apt-get install ${names}`)
}

function make(): void {
  const date = readReleaseDate()
  rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(OUTPUT, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'procveil-package-'))
  try {
    const executables = MACHINES.map(machine => ({ machine, executable: build(machine) }))
    const texts = renderTexts(executables)
    for (const { machine, executable } of executables) {
      const folder = fillArchive(work, { machine, executable, texts, date })
      const archive = join(OUTPUT, `procveil-${VERSION}-linux-${machine.rpm}.tar.gz`)
      pack(folder, archive, { date, isFast: IS_FAST })
      const order = {
        machine,
        work,
        output: OUTPUT,
        date,
        withCommon: machine === MACHINES[0],
        isFast: IS_FAST,
      }
      makeRpms(archive, order)
      makeDebs(folder, order)
    }
    writeFileSync(join(OUTPUT, `procveil-${VERSION}.cdx.json`), renderBillOfMaterials(date))
    writeFileSync(join(OUTPUT, 'SHA256SUMS'), renderSums(OUTPUT))
    for (const name of readdirSync(OUTPUT).sort()) process.stdout.write(`${join(OUTPUT, name)}\n`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function build(machine: Machine): string {
  const outfile = join(PROJECT, 'dist', machine.rpm, 'procveil')
  const isOwn = machine.node === process.arch
  const { target, npm } = machine
  compile(outfile, isOwn ? undefined : { target, runTime: fetchRunTime(npm) })
  return outfile
}

/** Renders what the executable says about itself, with the one that runs here. */
function renderTexts(
  executables: readonly { machine: Machine; executable: string }[],
): Record<string, string> {
  const own = executables.find(({ machine }) => machine.node === process.arch)
  if (own === undefined) throw new Error(`Cannot make packages on ${process.arch}`)
  const print = (...args: string[]) => `${execaSync(own.executable, args).stdout}\n`
  return {
    'man/procveil.8': print('man', 'procveil.8'),
    'man/procveil-runtime.8': print('man', 'procveil-runtime.8'),
    'man/procveil-config.5': print('man', 'procveil-config.5'),
    'completions/procveil.bash': print('completion', 'bash'),
    'completions/procveil.zsh': print('completion', 'zsh'),
    'completions/procveil.fish': print('completion', 'fish'),
    'THIRD-PARTY.md': renderThirdParty(),
  }
}

/** As sha256sum(1) writes and checks them. */
function renderSums(directory: string): string {
  return readdirSync(directory)
    .sort()
    .map(name => {
      const sum = createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex')
      return `${sum}  ${name}\n`
    })
    .join('')
}
