/**
 * Finds the init of a process's pid namespace, also for a process that entered it from outside, as `docker exec` does.
 */

import { isAlive, type KnownProcess, readStartTicks } from '../container/identity.ts'
import type { Host } from '../host/host.ts'
import { parsePids, parseStatusField } from '../host/proc-pid.ts'
import { Budget } from './budget.ts'

/** The inits of at most this many namespaces are remembered; the oldest is forgotten. */
const MOST_KNOWN = 256

/** A namespace without an init is searched again only after this time: a search reads all processes of the host. */
const AGAIN_USEC = 5e6

/** One caller waits for so long at most, give or take one file. A longer search goes on with the next caller. */
const SLICE_USEC = 20_000

/** A process of the outermost namespaces below the host's has this many pids. */
const OUTERMOST_DEPTH = 2

/** A process is followed up to its init through at most so many parents, each of which takes some 15 us. */
const MOST_PARENTS = 256

/**
 * Some 1.5 KB are usual. A process may be in 65 536 groups, all of which are listed: the kernel takes 22 ms for that. Who
 * has so many has no init for us.
 */
const MOST_STATUS_BYTES = 16 * 1024

export interface Init extends KnownProcess {
  pid: number
  /**
   * The pid of the init of the outermost namespace below the host's that this one is in; `undefined` where it is that one
   * itself, and where it cannot be told.
   */
  outermost?: number | undefined
}

interface Status {
  pid: number
  /** The pid in each pid namespace, from the host's down to the process's own. */
  pids: number[]
  /** The parent's pid; 0 where it is not on this host. */
  parent: number
}

/** A search through all processes. */
interface Search {
  namespace: string
  depth: number
  /** The pids that are left. */
  pids: number[]
  /** When it has stopped. */
  stoppedUsec: number
}

export class PidNamespaces {
  readonly #host: Host
  readonly #own: string | undefined
  readonly #inits = new Map<string, Init>()
  readonly #missedUsec = new Map<string, number>()
  readonly #budget: Budget
  #untilUsec = 0
  /** One at a time, so that each is done in the end. */
  #search: Search | undefined

  constructor(host: Host) {
    this.#host = host
    this.#own = host.tryReadLink('proc/self/ns/pid')
    this.#budget = new Budget(host.clock)
  }

  /**
   * The init's pid and start; `undefined` for a process of our own namespace, where no init is found, and where that would
   * take too much of everybody's time now.
   */
  findInit(pid: number): Init | undefined {
    const namespace = this.#namespaceOf(pid)
    if (namespace !== undefined) {
      if (namespace === this.#own) return undefined
      const known = this.#inits.get(namespace)
      if (known !== undefined && isAlive(this.#host, known)) return known
      if (this.#hasMissed(namespace)) return undefined
    }
    return this.#budget.spend(startUsec => {
      this.#untilUsec = startUsec + SLICE_USEC
      return this.#find(pid, namespace)
    })
  }

  #find(pid: number, namespace: string | undefined): Init | undefined {
    const status = this.#status(pid)
    if (status === undefined || status.pids.length < OUTERMOST_DEPTH) return undefined
    const depth = status.pids.length
    const found = this.#above(status, depth)
    if (found !== undefined) return this.#initOf(found, depth, namespace)
    return namespace === undefined ? undefined : this.#among(namespace, depth)
  }

  /**
   * The nearest process above that is the init of a namespace of this depth. Parents lead there, since the init of a
   * namespace adopts every orphan in it and is a child of the namespace above, but not from a process that came in from
   * outside.
   */
  #above(from: Status | undefined, depth: number): number | undefined {
    let status = from
    for (let i = 0; i < MOST_PARENTS; i++) {
      if (status === undefined || status.pids.length < depth) return undefined
      if (status.pids.length === depth && status.pids[depth - 1] === 1) return status.pid
      if (!(status.parent > 1) || this.#isLate) return undefined
      status = this.#status(status.parent)
    }
    return undefined
  }

  /** Searches all processes. What an earlier caller's search has left comes first. */
  #among(namespace: string, depth: number): Init | undefined {
    for (;;) {
      const search = this.#goingOn() ?? this.#begin(namespace, depth)
      const found = this.#goOn(search)
      if (found === undefined && search.pids.length > 0) return undefined
      this.#search = undefined
      if (found === undefined) this.#miss(search.namespace)
      const init = found === undefined ? found : this.#initOf(found, search.depth, search.namespace)
      if (search.namespace === namespace) return init
      if (this.#isLate) return undefined
    }
  }

  /** What nobody has gone on with for long is about processes that may be gone. */
  #goingOn(): Search | undefined {
    const search = this.#search
    const now = this.#host.clock.monotonicUsec()
    return search !== undefined && now - search.stoppedUsec < AGAIN_USEC ? search : undefined
  }

  #begin(namespace: string, depth: number): Search {
    const pids = this.#host.list('proc').map(Number).filter(Number.isInteger).reverse()
    this.#search = { namespace, depth, pids, stoppedUsec: 0 }
    return this.#search
  }

  #goOn(search: Search): number | undefined {
    const { namespace, depth, pids } = search
    for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
      if (this.#namespaceOf(pid) === namespace) {
        if (this.#status(pid)?.pids[depth - 1] === 1) return pid
      }
      if (this.#isLate) break
    }
    search.stoppedUsec = this.#host.clock.monotonicUsec()
    return undefined
  }

  get #isLate(): boolean {
    return this.#host.clock.monotonicUsec() >= this.#untilUsec
  }

  #initOf(pid: number, depth: number, namespace: string | undefined): Init {
    const isNested = depth > OUTERMOST_DEPTH
    const outermost = isNested ? this.#above(this.#status(pid), OUTERMOST_DEPTH) : undefined
    const init = { pid, startTicks: readStartTicks(this.#host, pid), outermost }
    if (namespace !== undefined) remember(this.#inits, namespace, init)
    return init
  }

  #hasMissed(namespace: string): boolean {
    const missedUsec = this.#missedUsec.get(namespace) ?? Number.NEGATIVE_INFINITY
    return this.#host.clock.monotonicUsec() - missedUsec < AGAIN_USEC
  }

  #miss(namespace: string): void {
    remember(this.#missedUsec, namespace, this.#host.clock.monotonicUsec())
  }

  #namespaceOf(pid: number): string | undefined {
    return this.#host.tryReadLink(`proc/${pid}/ns/pid`)
  }

  #status(pid: number): Status | undefined {
    const text = this.#host.tryRead(`proc/${pid}/status`, MOST_STATUS_BYTES) ?? ''
    const pids = parsePids(text)
    return pids && { pid, pids, parent: Number(parseStatusField(text, 'PPid')) }
  }
}

/** The oldest goes first: who makes many namespaces must not have all the others searched again. */
function remember<Value>(known: Map<string, Value>, namespace: string, value: Value): void {
  known.delete(namespace)
  known.set(namespace, value)
  const [oldest] = known.keys()
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
}
