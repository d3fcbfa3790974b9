/**
 * `npm run bench`, as root: procveil beside Debian's lxcfs, the kernel's own procfs and the floor of FUSE. Names of
 * parts choose some of them, `--quick` takes less time for each, `--json FILE` says where all samples go.
 */

import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { parseArgs } from 'node:util'
import { needs } from '../kit/requirements.ts'
import { containers } from './containers.ts'
import { hooks } from './hooks.ts'
import { machines } from './machines.ts'
import { reading } from './reading.ts'
import { remounts } from './remounts.ts'
import { Report } from './report.ts'
import { Stage } from './stage.ts'
import { syscalls } from './syscalls.ts'

const PARTS = { reading, syscalls, containers, machines, hooks, remounts }

const FULL = { isQuick: false, rounds: 8, milliseconds: 400 }
const QUICK = { isQuick: true, rounds: 2, milliseconds: 60 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, json: { type: 'string', default: 'dist/bench.json' } },
})
const parts = Object.entries(PARTS).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
)

const { skip } = needs('runc', 'gcc', 'lxcfs', 'strace')
if (skip !== undefined) throw new Error(`Cannot measure: ${skip}`)

// As /run is on all hosts, in memory.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm'
const stage = new Stage()
const report = new Report()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => stage.clear().then(() => process.exit(1)))
}
try {
  await stage.build()
  for (const [, run] of parts) await run(stage, report, values.quick ? QUICK : FULL)
  report.save(values.json, { kernel: release() })
} finally {
  await stage.clear()
}
