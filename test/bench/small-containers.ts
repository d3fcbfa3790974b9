/** Containers of a small process each, fleet.c, registered as a hook does it. */

import { readContainer } from '../../src/container/identity.ts'
import { Registry } from '../../src/container/registry.ts'
import { Host } from '../../src/host/host.ts'
import { stoppedClock } from '../../src/host/recording.ts'
import type { Site } from '../kit/site.ts'
import { LineProgram } from './line-program.ts'
import { OwnCgroups } from './own-cgroups.ts'
import { sort } from './statistics.ts'

/** No two containers have the same limit: each can tell its own files from those of the others. */
const FIRST_KIB = 32 * 1024
const STEP_KIB = 4

interface Reads {
  elapsedUsec: number
  /** Sorted. */
  latenciesUsec: Float64Array
  /** Failed and empty ones. */
  failed: number
  /** Of meminfo with another MemTotal than the container's, and of stat and uptime whose numbers have fallen. */
  wrong: number
}

export class SmallContainers {
  readonly #host = new Host('/', stoppedClock({ monotonicUsec: 0, boottimeUsec: 0 }))
  readonly #registry: Registry
  readonly #program: LineProgram
  readonly #cgroups: OwnCgroups
  readonly #name: string
  #count = 0
  #hasEnded = false

  constructor(site: Site, program: string) {
    this.#registry = new Registry(site.runDirectory)
    this.#name = `procveil-bench-${process.pid}-${numbers++}`
    this.#cgroups = new OwnCgroups(this.#host, this.#name)
    this.#program = new LineProgram([program, String(FIRST_KIB), String(STEP_KIB)])
  }

  /** Makes as many as that. */
  async grow(count: number): Promise<void> {
    this.#program.send(`grow ${count}`)
    for (const pid of await this.#program.numbers('start processes')) {
      // Who is interrupted cleans up in the meantime.
      await new Promise(setImmediate)
      if (this.#hasEnded) throw new Error('Cannot go on: the containers have ended')
      const kib = FIRST_KIB + STEP_KIB * this.#count
      const id = this.id(this.#count++)
      this.#cgroups.enter(pid, id, kib * 1024)
      this.#registry.register(readContainer(this.#host, id, { pid, rootfs: '/' }))
    }
  }

  get count(): number {
    return this.#count
  }

  /** In the path of a file to bind, `%` stands for a container's number. */
  id(number: number | '%'): string {
    return `${this.#name}-${number}`
  }

  /** Binds a file in each container from the number `first` on. */
  async bind(first: number, source: string, target: string): Promise<void> {
    this.#program.send(`bind ${first} ${source} ${target}`)
    await this.#program.numbers(`bind ${source}`)
  }

  /** All containers read all the files, so many times a second, evenly spread. */
  async read(perSecond: number, milliseconds: number, files: readonly string[]): Promise<Reads> {
    const action = `measure ${files.join(' ')}`
    this.#program.send(`read ${perSecond} ${milliseconds} ${files.join(' ')}`)
    const [elapsed = 0, failed = 0, wrong = 0] = await this.#program.numbers(action)
    const latencies = await this.#program.numbers(action)
    return {
      elapsedUsec: elapsed / 1000,
      latenciesUsec: sort(latencies.map(nanoseconds => nanoseconds / 1000)),
      failed,
      wrong,
    }
  }

  async end(): Promise<void> {
    this.#hasEnded = true
    await this.#program.end()
    await this.#cgroups.remove()
  }
}

let numbers = 0
