/**
 * Runs one fuzzer for a time, in a thread of its own: the thread's memory is bounded, and who waits for it can end it
 * where it hangs.
 */

import { mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import type { Fuzzer } from './fuzzer.ts'

/** What the thread is told. */
export interface Orders {
  /** The module beside this one with the `FUZZER`. */
  name: string
  seed: number
  seconds: number
  /** A directory that is empty, for files of the inputs. */
  directory: string
  /** Written here: the seed of the round, and how many inputs were begun in all and in the round. */
  progress: SharedArrayBuffer
}

/** What the thread says at its end. */
export interface Outcome {
  runs: number
  /** What failed, with the smallest input. */
  failure?: { seed: number; report: string }
}

/** So many inputs follow from one seed. A round that fails is run again by its seed alone. */
const ROUND = 50

/** No input, of half a MiB at most, takes longer. One that does is tried again: a machine under load is slow with anything. */
const MOST_MS = 4000
const ATTEMPTS = 3

const SHRINKING_MS = 30_000

const { name, seed, seconds, directory, progress } = workerData as Orders
const cells = new Int32Array(progress)
const { FUZZER } = (await import(`./${name}.ts`)) as { FUZZER: Fuzzer<unknown> }
/** The descriptors that were left open by an input, as they stay in this process. */
const leaked = new Set<string>()

parentPort?.postMessage(fuzz())

function fuzz(): Outcome {
  const end = performance.now() + seconds * 1000
  for (let round = 0; ; round++) {
    const roundSeed = (seed + round) | 0
    Atomics.store(cells, 0, roundSeed)
    Atomics.store(cells, 2, 0)
    const details = fc.check(fc.property(FUZZER.values, checkOne), {
      seed: roundSeed,
      numRuns: ROUND,
      interruptAfterTimeLimit: SHRINKING_MS,
      includeErrorInReport: true,
    })
    const runs = Atomics.load(cells, 1)
    if (details.failed) {
      const report = fc.defaultReportMessage(details) ?? 'it failed'
      return { runs, failure: { seed: roundSeed, report } }
    }
    if (performance.now() > end) return { runs }
  }
}

function checkOne(value: unknown): void {
  Atomics.add(cells, 1, 1)
  Atomics.add(cells, 2, 1)
  let tookMs = 0
  for (let i = 0; i < ATTEMPTS; i++) {
    const startMs = performance.now()
    try {
      FUZZER.check(value, directory)
    } catch (error) {
      clean()
      throw error
    }
    tookMs = performance.now() - startMs
    clean()
    if (tookMs < MOST_MS) break
  }
  if (tookMs >= MOST_MS) throw new Error(`It took ${Math.round(tookMs)} ms`)
}

/** A check that writes no file has none to leave open. */
function clean(): void {
  if (readdirSync(directory).length === 0) return
  const left = openFiles()
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  if (left.length > 0) throw new Error(`It left files open: ${left}`)
}

/** The files below the directory that this process has open since the last call. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      if (!path.startsWith(directory) || leaked.has(fd)) return []
      leaked.add(fd)
      return [path]
    } catch {
      return []
    }
  })
}
