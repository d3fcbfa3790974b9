/**
 * Random and damaged input for everything that reads what others have written. A fuzzer runs for PROCVEIL_FUZZ_SECONDS;
 * two run at a time. What it fails with is run again by PROCVEIL_FUZZ_SEED, and one fuzzer alone by PROCVEIL_FUZZ_ONLY.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { size } from '../kit/size.ts'
import type { Fuzzer } from './fuzzer.ts'
import type { Orders, Outcome } from './worker.ts'

const NAMES = [
  'fuse',
  'journal',
  'oci',
  'run-directory',
  'runtimes',
  'texts',
  'orders',
  'nri',
] as const

const AT_A_TIME = 2
/** Files come and go thousands of times: in memory that takes a tenth of the time. */
const MEMORY = '/dev/shm'
const SECONDS = environment('PROCVEIL_FUZZ_SECONDS') ?? size({ short: 1, long: 60, full: 600 })
const SEED = environment('PROCVEIL_FUZZ_SEED') ?? Date.now() | 0
const ONLY = nameOf('PROCVEIL_FUZZ_ONLY')

/** A thread that begins no other input in this time hangs. */
const HANGS_MS = 20_000
/** It loads its modules before, on a machine that has other things to do. */
const LOADS_MS = 120_000
const LOOK_MS = 200
const MOST_MEMORY_MIB = 512

/** The loading of a thread and the shrinking of what fails take a while, too. */
const MOST_TEST_MS = (SECONDS + 120) * NAMES.length * 1000

// Of the whole file, or of containerless.test.ts, which sets as much itself; .taprc has less.
t.setTimeout(Math.max(MOST_TEST_MS, 1_800_000))

t.test(
  `nothing hangs, leaks or fails with an error that is not ours, by seed ${SEED}`,
  { timeout: MOST_TEST_MS },
  async t => {
    const names = NAMES.filter(name => ONLY === undefined || name === ONLY)
    const lane = async () => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) await run(t, name)
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, lane))
  },
)

async function run(t: Test, name: string): Promise<void> {
  const progress = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)
  const cells = new Int32Array(progress)
  const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'procveil-fuzz-'))
  const workerData: Orders = { name, seed: SEED, seconds: SECONDS, directory, progress }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MIB },
  })
  const watch = watchFor(cells)
  try {
    const { runs, failure } = await Promise.race([outcomeOf(worker), watch.hang])
    if (failure === undefined) t.pass(`${name}: ${runs} inputs in ${SECONDS} s`)
    else t.fail(`${name}: PROCVEIL_FUZZ_ONLY=${name} PROCVEIL_FUZZ_SEED=${failure.seed}`, failure)
  } catch (error) {
    const [seed = 0, , run = 0] = cells
    const [input] = (await valuesOf(name, seed, run)).slice(-1)
    const report = `${error}\n${fc.stringify(input).slice(0, 10_000)}`
    t.fail(`${name}: PROCVEIL_FUZZ_ONLY=${name} PROCVEIL_FUZZ_SEED=${seed}`, { report })
  } finally {
    watch.end()
    await worker.terminate()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The inputs of a round as far as it got. They are the same for the same seed. */
async function valuesOf(name: string, seed: number, runs: number): Promise<unknown[]> {
  const { FUZZER } = (await import(`./${name}.ts`)) as { FUZZER: Fuzzer<unknown> }
  return fc.sample(FUZZER.values, { seed, numRuns: Math.max(runs, 1) })
}

function outcomeOf(worker: Worker): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    worker.on('message', resolve)
    worker.on('error', reject)
    worker.on('exit', status => reject(new Error(`The thread ended with status ${status}`)))
  })
}

/** `hang` rejects when the count of inputs stands still. */
function watchFor(cells: Int32Array) {
  let seen = -1
  let sinceMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const begun = Atomics.load(cells, 1)
      if (begun !== seen) sinceMs = performance.now()
      seen = begun
      const mostMs = begun === 0 ? LOADS_MS : HANGS_MS
      if (performance.now() - sinceMs > mostMs) reject(new Error('It hangs'))
    }, LOOK_MS)
  })
  return { hang, end: () => clearInterval(timer) }
}

function nameOf(variable: string): string | undefined {
  const text = process.env[variable]
  if (text === undefined || NAMES.some(name => name === text)) return text
  throw new RangeError(`Cannot use ${variable}="${text}": it must be one of ${NAMES.join(', ')}`)
}

function environment(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined) return undefined
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  throw new RangeError(`Cannot use ${name}="${text}": it must be a number`)
}
