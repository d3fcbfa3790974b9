/**
 * A server that was just started runs code that is not compiled yet, and its first answers take several times as long
 * as later ones. So all files of one container are read again and again, through a server of their own, and the engine
 * compiles the code that both run.
 */

import { placeOf, rootOfSlot, SLOT_SIZE } from '../../filesystem/tree.ts'
import type { ProcFile } from '../../proc/files.ts'
import type { RehearsedKernel } from './rehearsed-kernel.ts'

/** Each file is read so many times. By then what a read calls is compiled for good, and more makes nothing faster. */
const ROUNDS = 160

/** After so many rounds the container's view is closed, and opened again. */
const ROUNDS_EACH = 16

/** So many rounds are those of a reader in a loop, and then as many those of readers that come once. */
const LOOPING_ROUNDS = 40

/** Files are read at this distance in time, as by readers that pause: whatever may be some milliseconds old is too old. */
const PAUSE_USEC = 15_000

type Kernel = Pick<
  RehearsedKernel,
  'pid' | 'lookup' | 'getattr' | 'open' | 'read' | 'release' | 'forget'
>

interface Rehearsed {
  kernel: Kernel
  /** The slot of a container. */
  slot: number
  files: Iterable<ProcFile>
  /** Moves the server's clock. */
  pass: (usec: number) => void
}

/** Each step takes less than a millisecond. */
export function* rehearse({ kernel, slot, files, pass }: Rehearsed): Generator<void> {
  let lookups = 0
  for (let round = 0; round < ROUNDS; round++) {
    const isLooping = round % (2 * LOOPING_ROUNDS) >= LOOPING_ROUNDS
    for (const file of files) {
      pass(PAUSE_USEC)
      kernel.pid = isLooping ? 1 : 2 + round
      if (round % ROUNDS_EACH === 0) lookups += yield* lookUp(kernel, slot, file)
      yield* readWhole(kernel, slot * SLOT_SIZE + placeOf(file))
    }
    if (round % ROUNDS_EACH === ROUNDS_EACH - 1) {
      kernel.forget(rootOfSlot(slot), lookups)
      lookups = 0
      yield
    }
  }
}

/** As a hook does that binds the file. Returns how many nodes were looked up. */
function* lookUp(kernel: Kernel, slot: number, file: ProcFile): Generator<void, number> {
  let nodeid: number | undefined = rootOfSlot(slot)
  let lookups = 0
  for (const name of file.path.split('/')) {
    nodeid = kernel.lookup(nodeid, name)
    yield
    if (nodeid === undefined) return lookups
    lookups++
  }
  kernel.getattr(nodeid)
  yield
  return lookups
}

/** As cat(1) does. */
function* readWhole(kernel: Kernel, nodeid: number): Generator<void> {
  const fh = kernel.open(nodeid)
  yield
  if (fh === undefined) return
  const size = kernel.read(nodeid, fh, 0)
  yield
  kernel.read(nodeid, fh, size)
  yield
  kernel.release(nodeid, fh)
  yield
}
