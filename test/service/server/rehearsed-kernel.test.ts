import t from 'tap'
import { operations } from '../../../src/filesystem/operations.ts'
import { placeOf, rootOfSlot, SLOT_SIZE } from '../../../src/filesystem/tree.ts'
import type { Device } from '../../../src/fuse/device.ts'
import { Session } from '../../../src/fuse/session.ts'
import { FILES, type ProcFile } from '../../../src/proc/files.ts'
import { RehearsedKernel } from '../../../src/service/server/rehearsed-kernel.ts'
import { BOX_SLOT, fakeBackend } from '../../filesystem/fake-backend.ts'

/** One end of a connection, which takes messages from `from` and gives some to `to`. */
function end(from: Uint8Array[], to: Uint8Array[]): Device {
  return {
    read: buffer => {
      const message = from.shift()
      if (message === undefined) return 'retry'
      buffer.set(message.subarray(0, buffer.length))
      return Math.min(message.length, buffer.length)
    },
    write: (buffer, size) => {
      to.push(buffer.slice(0, size))
      return size
    },
  }
}

/** A kernel before a server of the fake backend's file system. */
function setUp() {
  const backend = fakeBackend()
  const [requests, replies]: [Uint8Array[], Uint8Array[]] = [[], []]
  const errors: unknown[] = []
  const session = new Session(end(requests, replies), operations(backend), {
    report: error => errors.push(error),
  })
  const kernel = new RehearsedKernel(end(replies, requests), () => {
    while (session.step() !== 'retry');
  })
  return { backend, errors, kernel }
}

const [file] = FILES as [ProcFile]
const nodeid = BOX_SLOT * SLOT_SIZE + placeOf(file)

t.test('a file is looked up, opened, read to its end and closed', async t => {
  const { backend, errors, kernel } = setUp()
  let found: number | undefined = rootOfSlot(BOX_SLOT)
  for (const name of file.path.split('/')) found = kernel.lookup(found ?? 0, name)
  t.equal(found, nodeid)
  t.equal(backend.held.get(BOX_SLOT), 2)
  kernel.getattr(nodeid)
  const fh = kernel.open(nodeid) ?? t.fail('it is open')
  t.equal(backend.handles.size, 1)
  t.equal(kernel.read(nodeid, Number(fh), 0), 'text\n'.length)
  t.equal(kernel.read(nodeid, Number(fh), 5), 0)
  kernel.release(nodeid, Number(fh))
  t.equal(backend.handles.size, 0)
  kernel.forget(nodeid, 2)
  t.equal(backend.held.get(BOX_SLOT), 0)
  t.strictSame(errors, [])
})

t.test('an error is no answer', async t => {
  const { kernel } = setUp()
  t.equal(kernel.lookup(rootOfSlot(BOX_SLOT), 'nothing'), undefined)
  t.equal(kernel.open(rootOfSlot(BOX_SLOT)), undefined, 'a directory')
  t.equal(kernel.read(200, 1, 0), 0, 'no node')
})

t.test('who waits for a worker gets no answer yet', async t => {
  const { backend, kernel } = setUp()
  backend.isAwaited = () => true
  const disks = FILES.find(({ path }) => path === 'proc/diskstats') as ProcFile
  t.equal(kernel.open(BOX_SLOT * SLOT_SIZE + placeOf(disks)), undefined)
  t.equal(typeof kernel.open(nodeid), 'number', 'and the next request gets its own')
})

t.test('the process that asks is named, but not where a file is closed', async t => {
  const { backend, kernel } = setUp()
  const pids: number[] = []
  backend.isInLoop = pid => pids.push(pid) > 0
  kernel.pid = 77
  kernel.release(nodeid, Number(kernel.open(nodeid)))
  t.strictSame(pids, [77])
})
