/**
 * A server that was just started runs code that is not compiled yet, and its first answers take several times as long
 * as later ones. So each file of a container is read again and again by requests that no kernel has sent: nobody gets
 * the answers, and nothing of it is counted, kept or written down.
 */

import type { Backend } from '../../filesystem/backend.ts'
import { Handles } from '../../filesystem/handles.ts'
import { Metrics } from '../../filesystem/metrics.ts'
import { operations } from '../../filesystem/operations.ts'
import { fileKey, QUARANTINE_CELLS, Quarantine } from '../../filesystem/quarantine.ts'
import { Renderer } from '../../filesystem/renderer.ts'
import type { Texts } from '../../filesystem/saved-texts.ts'
import { placeOf, SLOT_SIZE } from '../../filesystem/tree.ts'
import type { Device } from '../../fuse/device.ts'
import {
  FUSE_READ_LOCKOWNER,
  InHeader,
  Opcode,
  OpenIn,
  OpenOut,
  OutHeader,
  ReadIn,
  ReleaseIn,
} from '../../fuse/protocol.ts'
import { Session } from '../../fuse/session.ts'
import type { Host } from '../../host/host.ts'
import type { ProcFile } from '../../proc/files.ts'
import type { View } from '../../proc/view.ts'

/** Each file is read so many times: more make the next answers no faster. */
const ROUNDS = 50

/** What cat(1) asks for at a time. */
const READ_BYTES = 128 * 1024

/** The slot of the container as far as the rehearsal is concerned, which is over before anybody could notice. */
const SLOT = 1

/** A view that nobody else has. */
interface RehearsedView extends View {
  close(): void
}

/** Reads all files of `view` again and again, and closes it in the end. Each step is one request. */
export function* rehearse(host: Host, backend: Backend, view: RehearsedView): Generator<void> {
  try {
    yield* passes(host, backend, view)
  } finally {
    view.close()
  }
}

function* passes(host: Host, backend: Backend, view: View): Generator<void> {
  const stage = new Stage()
  const session = new Session(stage, operations(privateBackend(host, backend, view)), {
    report: () => {},
  })
  for (let round = 0; round < ROUNDS; round++) {
    for (const file of backend.offered) {
      for (const ask of PASS) {
        ask(stage, file)
        session.step()
        yield
      }
    }
  }
}

/** As the server's own, with nothing that others see. */
function privateBackend(host: Host, backend: Backend, view: View): Backend {
  const { clock } = host
  const metrics = new Metrics()
  const quarantine = new Quarantine(new Float64Array(QUARANTINE_CELLS), clock)
  const renderer = new Renderer(host, { error: () => {} }, () => {}, {
    begin: file => quarantine.begin(fileKey(SLOT, file)),
    end: () => quarantine.end(),
  })
  let next = 1
  return {
    ...backend,
    ofSlot: () => view,
    render: (file, of) => {
      renderer.begin()
      return renderer.render(file, of)
    },
    isAwaited: () => false,
    isInLoop: () => false,
    count: (path, seconds) => metrics.read(path, seconds),
    handles: new Handles({ first: 0, take: () => next++ }, clock, NO_TEXTS),
  }
}

const NO_TEXTS: Texts = { save: () => {}, load: () => undefined, remove: () => {} }

/** Gives one request at a time, and keeps of the replies the number of the handle. */
class Stage implements Device {
  readonly #bytes = new Uint8Array(InHeader.size + ReadIn.size)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #header = InHeader.over(this.#view, 0)
  readonly open = OpenIn.over(this.#view, InHeader.size)
  readonly reading = ReadIn.over(this.#view, InHeader.size)
  readonly release = ReleaseIn.over(this.#view, InHeader.size)
  #isAsked = false
  /** What the last OPEN has given. */
  fh = 0

  /** The next request, to be filled in: all fields of its body are 0. */
  ask(opcode: number, file: ProcFile, bodySize: number): void {
    this.#bytes.fill(0)
    this.#header.len = InHeader.size + bodySize
    this.#header.opcode = opcode
    this.#header.nodeid = SLOT * SLOT_SIZE + placeOf(file)
    this.#isAsked = true
  }

  read(buffer: Uint8Array): number | 'retry' {
    if (!this.#isAsked) return 'retry'
    this.#isAsked = false
    buffer.set(this.#bytes)
    return this.#header.len
  }

  write(buffer: Uint8Array, size: number): number {
    if (this.#header.opcode === Opcode.OPEN) {
      this.fh = OpenOut.over(new DataView(buffer.buffer), OutHeader.size).fh
    }
    return size
  }
}

/** What a reader asks for that opens a file, reads it to its end and closes it. */
const PASS: readonly ((stage: Stage, file: ProcFile) => void)[] = [
  (stage, file) => stage.ask(Opcode.OPEN, file, OpenIn.size),
  (stage, file) => askRead(stage, file, 0),
  (stage, file) => askRead(stage, file, READ_BYTES),
  (stage, file) => {
    stage.ask(Opcode.RELEASE, file, ReleaseIn.size)
    stage.release.fh = stage.fh
  },
]

function askRead(stage: Stage, file: ProcFile, offset: number): void {
  stage.ask(Opcode.READ, file, ReadIn.size)
  stage.reading.fh = stage.fh
  stage.reading.offset = offset
  stage.reading.size = READ_BYTES
  stage.reading.readFlags = FUSE_READ_LOCKOWNER
}
