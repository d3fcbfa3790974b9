/**
 * Finds the init of a process's pid namespace, also for a process that entered it from outside, as `docker exec` does.
 */

import { isAlive, type KnownProcess, readStartTicks } from '../container/identity.ts'
import type { Host } from '../host/host.ts'
import { parsePids, parseStatusField } from '../host/proc-pid.ts'

/** The inits of at most this many namespaces are remembered; the oldest is forgotten. */
const MOST_KNOWN = 256

/**
 * A namespace whose init was not found is searched again only after this time: a search reads all processes of the
 * host.
 */
const AGAIN_USEC = 5e6

/** A process of the outermost namespaces below the host's has this many pids. */
const OUTERMOST_DEPTH = 2

/**
 * A process is followed up to its init through at most so many parents, each of which takes some 20 us: a container can
 * make a chain of as many as it may have processes.
 */
const MOST_PARENTS = 256

interface Init extends KnownProcess {
  pid: number
  /**
   * The pid of the init of the outermost namespace below the host's that this one is in; `undefined` where it is that one
   * itself, and where it cannot be told.
   */
  outermost?: number | undefined
}

export class PidNamespaces {
  readonly #host: Host
  readonly #inits = new Map<string, Init>()
  readonly #missedUsec = new Map<string, number>()

  constructor(host: Host) {
    this.#host = host
  }

  /** The init's pid and start; `undefined` for a process of our own namespace, and where no init is found. */
  findInit(pid: number): Init | undefined {
    const depth = this.#pids(pid)?.length ?? 1
    if (depth === 1) return undefined
    const namespace = this.#host.tryReadLink(`proc/${pid}/ns/pid`)
    const known = namespace === undefined ? undefined : this.#inits.get(namespace)
    if (known !== undefined && isAlive(this.#host, known)) return known
    const found = this.#above(pid, depth) ?? this.#among(namespace, depth)
    if (found === undefined) return undefined
    const outermost = depth > OUTERMOST_DEPTH ? this.#findOutermost(found) : undefined
    const init = { pid: found, startTicks: readStartTicks(this.#host, found), outermost }
    if (namespace !== undefined) this.#remember(namespace, init)
    return init
  }

  /** Parents lead there, since the init of a namespace is the child of a process of the one above. */
  #findOutermost(pid: number): number | undefined {
    for (let current = pid, i = 0; i < MOST_PARENTS; i++) {
      const pids = this.#pids(current)
      if (pids === undefined || pids.length < OUTERMOST_DEPTH) return undefined
      if (pids.length === OUTERMOST_DEPTH && pids[1] === 1) return current
      const parent = this.#parent(current)
      if (parent === undefined) return undefined
      current = parent
    }
    return undefined
  }

  /** Parents lead to the init, which adopts every orphan, but not from a process that came in from outside. */
  #above(pid: number, depth: number): number | undefined {
    for (let current = pid, i = 0; i < MOST_PARENTS; i++) {
      const pids = this.#pids(current)
      if (pids === undefined || pids.length < depth) return undefined
      if (pids.length === depth && pids[depth - 1] === 1) return current
      const parent = this.#parent(current)
      if (parent === undefined) return undefined
      current = parent
    }
    return undefined
  }

  #parent(pid: number): number | undefined {
    const parent = Number(parseStatusField(this.#host.tryRead(`proc/${pid}/status`) ?? '', 'PPid'))
    return parent > 1 ? parent : undefined
  }

  #among(namespace: string | undefined, depth: number): number | undefined {
    if (namespace === undefined) return undefined
    const now = this.#host.clock.monotonicUsec()
    if (now - (this.#missedUsec.get(namespace) ?? Number.NEGATIVE_INFINITY) < AGAIN_USEC) {
      return undefined
    }
    for (const name of this.#host.directories('proc')) {
      const pid = Number(name)
      if (!Number.isInteger(pid)) continue
      if (this.#host.tryReadLink(`proc/${pid}/ns/pid`) !== namespace) continue
      if (this.#pids(pid)?.[depth - 1] === 1) return pid
    }
    // The oldest goes first: who makes many namespaces must not have all the others searched again.
    const [oldest] = this.#missedUsec.keys()
    if (this.#missedUsec.size >= MOST_KNOWN && oldest !== undefined) this.#missedUsec.delete(oldest)
    this.#missedUsec.set(namespace, now)
    return undefined
  }

  #remember(namespace: string, init: Init): void {
    this.#inits.delete(namespace)
    this.#inits.set(namespace, init)
    const [oldest] = this.#inits.keys()
    if (this.#inits.size > MOST_KNOWN && oldest !== undefined) this.#inits.delete(oldest)
  }

  #pids(pid: number): number[] | undefined {
    return parsePids(this.#host.tryRead(`proc/${pid}/status`) ?? '')
  }
}
