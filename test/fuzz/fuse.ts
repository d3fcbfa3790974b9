/** Requests as no kernel sends them: each is answered or dropped, and the next one is answered as always. */

import fc from 'fast-check'
import { Handles } from '../../src/filesystem/handles.ts'
import { operations } from '../../src/filesystem/operations.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import { Session } from '../../src/fuse/session.ts'
import { type FakeBackend, fakeBackend, numbersFrom } from '../filesystem/fake-backend.ts'
import { request, ScriptedDevice } from '../fuse/scripted.ts'
import { ensure } from '../property/runs.ts'
import { fuzzer, requireOurs } from './fuzzer.ts'
import { anyRequest, checkReply, handlesIn, isAnswered, isReply, release } from './requests.ts'

/** Handles below this one are those of earlier servers. */
const FIRST_HANDLE = 1000

const step = fc.oneof(
  { weight: 12, arbitrary: anyRequest },
  { weight: 1, arbitrary: fc.constant('retry' as const) },
)
const values = fc.record({
  script: fc.array(step, { minLength: 1, maxLength: 25 }),
  text: fc.constantFrom('', 'text\n', 'x'.repeat(4096), 'y'.repeat(140_000)),
})

export const FUZZER = fuzzer(values, ({ script, text }) => {
  const saved = new Map<number, Buffer>()
  const backend = backendWith(text, saved)
  const last = request(Opcode.LOOKUP, 1, Buffer.from('proc\0'))
  const replies = serve(backend, [...script, last]).filter(isReply)
  const requests = [...script, last].filter(each => typeof each !== 'string')
  const asked = requests.filter(isAnswered)
  ensure(replies.length === asked.length, () => `${replies.length} replies to ${asked.length}`)
  const handles = replies.flatMap((reply, i) => {
    const each = asked[i] ?? last
    checkReply(each, reply)
    return handlesIn(each, reply)
  })
  ensure(replies.at(-1)?.readInt32LE(4) === 0, () => 'the last one is not answered')
  serve(backend, handles.map(release))
  ensure(backend.handles.size === 0, () => `${backend.handles.size} handles are left`)
  ensure(saved.size === 0, () => `${saved.size} texts are left`)
})

function backendWith(text: string, saved: Map<number, Buffer>): FakeBackend {
  const backend = fakeBackend()
  backend.text = text
  backend.handles = new Handles(numbersFrom(FIRST_HANDLE), backend.clock, {
    save: (fh, _slot, text) => void saved.set(fh, Buffer.from(text)),
    load: fh => saved.get(fh),
    remove: fh => void saved.delete(fh),
  })
  return backend
}

function serve(backend: FakeBackend, script: readonly (Buffer | 'retry')[]): Buffer[] {
  const device = new ScriptedDevice(...script)
  const session = new Session(device, operations(backend), { report: requireOurs })
  while (session.step() !== 'gone');
  return device.replies
}
