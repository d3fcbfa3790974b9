/** Requests as no kernel sends them: each is answered or dropped, and the next one is answered as always. */

import fc from 'fast-check'
import { Handles } from '../../src/filesystem/handles.ts'
import { operations } from '../../src/filesystem/operations.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import { Session } from '../../src/fuse/session.ts'
import type { View } from '../../src/proc/view.ts'
import {
  BOX_SLOT,
  type FakeBackend,
  fakeBackend,
  fakeSysfs,
  numbersFrom,
  SYSFS,
} from '../filesystem/fake-backend.ts'
import { request, ScriptedDevice } from '../fuse/scripted.ts'
import { cpuView } from '../proc/sysfs/view.ts'
import { ensure } from '../property/runs.ts'
import { fuzzer, requireOurs } from './fuzzer.ts'
import {
  anyRequest,
  checkReply,
  handlesIn,
  isAnswered,
  isReply,
  release,
  SYS_PATHS,
} from './requests.ts'

/** Handles below this one are those of earlier servers. */
const FIRST_HANDLE = 1000

/** What lies beside the directories of sysfs. */
const SECRET = 'a secret of the host'

const step = fc.oneof(
  { weight: 12, arbitrary: anyRequest },
  { weight: 1, arbitrary: fc.constant('retry' as const) },
)
const values = fc.record({
  script: fc.array(step, { minLength: 1, maxLength: 25 }),
  text: fc.constantFrom('', 'text\n', 'x'.repeat(4096), 'y'.repeat(140_000)),
  cpus: fc.constantFrom<Cpus>('none', 'broken', [0], [1], [0, 1], [7]),
})

export const FUZZER = fuzzer(values, ({ script, text, cpus }) => {
  const saved = new Map<number, Buffer>()
  const backend = backendWith(text, saved, cpus)
  const last = request(Opcode.LOOKUP, 1, Buffer.from('proc\0'))
  const replies = serve(backend, [...script, last]).filter(isReply)
  const requests = [...script, last].filter(each => typeof each !== 'string')
  const asked = requests.filter(isAnswered)
  ensure(replies.length === asked.length, () => `${replies.length} replies to ${asked.length}`)
  const handles = replies.flatMap((reply, i) => {
    const each = asked[i] ?? last
    checkReply(each, reply)
    ensure(!reply.includes(SECRET), () => `${each.toString('hex')} got ${reply}`)
    return handlesIn(each, reply)
  })
  ensure(replies.at(-1)?.readInt32LE(4) === 0, () => 'the last one is not answered')
  serve(backend, handles.map(release))
  ensure(backend.handles.size === 0, () => `${backend.handles.size} handles are left`)
  ensure(saved.size === 0, () => `${saved.size} texts are left`)
})

type Cpus = 'none' | 'broken' | number[]

/** A view of these CPUs, which fails at all that it is asked where it is `broken`. */
function viewOf(cpus: Cpus): View | undefined {
  if (cpus === 'none') return undefined
  const view = cpuView(cpus === 'broken' ? [0] : cpus)
  if (cpus !== 'broken') return view
  view.cpus = () => {
    throw new Error('Cannot tell')
  }
  return view
}

function backendWith(text: string, saved: Map<number, Buffer>, cpus: Cpus): FakeBackend {
  const backend = fakeBackend()
  backend.text = text
  const tree = { ...SYSFS, 'sys/devices/system/secret': SECRET, 'sys/devices/secret': SECRET }
  backend.sysfs = fakeSysfs(tree, () => {})
  const view = viewOf(cpus)
  backend.ofSlot = () => view
  for (const slot of [0, BOX_SLOT]) for (const path of SYS_PATHS) backend.nodes.numberOf(slot, path)
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
