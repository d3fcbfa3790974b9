/**
 * `npm run bench`, as root: procveil beside Debian's lxcfs, the kernel's own procfs and the floor of FUSE. Names of
 * parts choose some of them, `--quick` takes less time for each, `--json FILE` says where all samples go, and `--suite
 * SUITE` of which Debian suite docker is for `docker`.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cleanups } from '../kit/cleanups.ts'
import { needs } from '../kit/requirements.ts'
import { arrivals } from './arrivals.ts'
import { containers } from './containers.ts'
import { docker } from './docker.ts'
import { fleet } from './fleet.ts'
import { hooks } from './hooks.ts'
import { machines } from './machines.ts'
import { pace } from './pace.ts'
import { compile } from './programs.ts'
import { reading } from './reading.ts'
import { remounts } from './remounts.ts'
import { Report } from './report.ts'
import { Setup } from './setup.ts'
import { Stage } from './stage.ts'
import { syscalls } from './syscalls.ts'
import { wrapper } from './wrapper.ts'

/** Each has a service of its own, and containers without a runtime. */
const WITHOUT_RUNTIME = { fleet, pace }

/** They share one service and one container under runc. */
const WITH_RUNTIME = {
  ...{ reading, syscalls, containers, machines, hooks, wrapper, remounts },
  ...{ arrivals, docker },
}

const FULL = { isQuick: false, rounds: 8, milliseconds: 400 }
const QUICK = { isQuick: true, rounds: 2, milliseconds: 60 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    json: { type: 'string', default: 'dist/bench.json' },
    suite: { type: 'string' },
  },
})
const isChosen = ([name]: [string, unknown]) =>
  positionals.length === 0 || positionals.includes(name)
const small = Object.entries(WITHOUT_RUNTIME).filter(isChosen)
const others = Object.entries(WITH_RUNTIME).filter(isChosen)

const { skip } = needs(
  'gcc',
  'lxcfs',
  ...(others.length > 0 ? ['runc', 'strace', 'dockerd', 'docker'] : []),
)
if (skip !== undefined) throw new Error(`Cannot measure: ${skip}`)

// As /run is on all hosts, in memory.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm'
const cleanups = new Cleanups('bench')
const report = new Report()
const effort = values.quick ? QUICK : FULL
let cleared: Promise<void> | undefined
const clear = () => {
  cleared ??= cleanups.run()
  return cleared
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => clear().then(() => process.exit(1)))
}
try {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-bench-'))
  cleanups.add(() => rmSync(directory, { recursive: true }))
  const programs = await compile(directory)
  for (const [, run] of small) {
    const setup = new Setup(programs)
    cleanups.add(() => setup.clear())
    await run(setup, report, effort)
    await setup.clear()
  }
  if (others.length > 0) {
    const stage = new Stage(programs)
    cleanups.add(() => stage.clear())
    await stage.build()
    for (const [, run] of others) await run(stage, report, effort, { suite: values.suite })
  }
  report.save(values.json, { kernel: release() })
} finally {
  await clear()
}
