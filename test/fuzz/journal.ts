/** What a server may have left of requests: the next one answers or drops each, ends, and leaves nothing. */

import fc from 'fast-check'
import { operations } from '../../src/filesystem/operations.ts'
import { JOURNAL_SIZE, Journal } from '../../src/fuse/journal.ts'
import { Session } from '../../src/fuse/session.ts'
import { fakeBackend } from '../filesystem/fake-backend.ts'
import { hex, ScriptedDevice } from '../fuse/scripted.ts'
import { ensure } from '../property/runs.ts'
import { fuzzer, requireOurs } from './fuzzer.ts'
import { mutate, mutations } from './mutations.ts'
import { anyRequest } from './requests.ts'

/** What stands before the slots, as far as anything is kept there. */
const HEAD_SIZE = 1200

const values = fc.record({
  left: fc.array(anyRequest, { maxLength: 20 }),
  running: fc.nat(25),
  damage: fc.option(mutations, { nil: undefined }),
  hasFailed: fc.boolean(),
  answered: fc.array(fc.nat(100)),
})

export const FUZZER = fuzzer(values, ({ left, running, damage, hasFailed, answered }) => {
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const first = new Journal(bytes)
  first.clear()
  const taken = left.map(each => {
    const request = first.take()
    request.buffer.set(each)
    return request
  })
  const begun = taken[running]
  if (begun !== undefined) first.begin(begun)
  if (damage !== undefined) {
    const damaged = mutate(Buffer.from(bytes.subarray(0, HEAD_SIZE)), damage)
    bytes.set(damaged.subarray(0, HEAD_SIZE))
  }
  const journal = new Journal(bytes)
  const device = new ScriptedDevice(hex('lookup.request'))
  // A number of a request is even; that of an answer to its interruption is not.
  device.refused = unique => unique % 2 === 1 && answered.includes(unique)
  const session = new Session(device, operations(fakeBackend()), { report: requireOurs }, journal)
  if (journal.isWhole) session.takeOver(hasFailed)
  else journal.clear()
  while (session.step() !== 'gone');
  ensure(
    device.replies.at(-1)?.equals(hex('lookup.reply')) === true,
    () => 'the next is not served',
  )
  ensure(new Journal(bytes).isWhole, () => 'the journal is not whole')
  const rest = new Journal(bytes).takeOver(false)
  ensure(rest.length === 0, () => `${rest.length} requests are left`)
})
