import t from 'tap'
import { operations } from '../../src/filesystem/operations.ts'
import {
  EACCES,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOENT,
  ENOTDIR,
  EROFS,
  ESTALE,
} from '../../src/fuse/errno.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import { Session } from '../../src/fuse/session.ts'
import type { View } from '../../src/proc/view.ts'
import { errorOf, request, ScriptedDevice } from '../fuse/scripted.ts'
import { cpuView } from '../proc/sysfs/view.ts'
import { BOX_SLOT, type FakeBackend, fakeBackend, fakeSysfs, SYSFS } from './fake-backend.ts'

const BOX = BOX_SLOT * 256
const CPU = BOX + 6
const LOCKOWNER = 2
const ENTRY_VALID_AT = 16 + 16
const MODE_AT = 16 + 40 + 60
const SIZE_AT = 16 + 40 + 8

function ask(backend: FakeBackend, ...requests: Buffer[]): Buffer[] {
  const device = new ScriptedDevice(...requests)
  const session = new Session(device, operations(backend), {
    report: error => {
      throw error
    },
  })
  while (session.step() !== 'gone');
  return device.replies
}

const words = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => void bytes.writeUInt32LE(value, i * 4))
  return bytes
}
const nodeidOf = (reply: Buffer | undefined) => Number(reply?.readBigUInt64LE(16))

/** A container with these CPUs of the host. */
function boxWith(view: View | undefined, tree = SYSFS): FakeBackend {
  const backend = fakeBackend()
  backend.sysfs = fakeSysfs(tree)
  backend.ofSlot = slot => (slot === BOX_SLOT ? view : undefined)
  return backend
}

/** The last reply to lookups of one name after the other, from the directory of the CPUs on. */
function walk(backend: FakeBackend, path: string, from = CPU): Buffer {
  let reply: Buffer = Buffer.alloc(0)
  let nodeid = from
  for (const name of path.split('/')) {
    const asked = request(Opcode.LOOKUP, nodeid, Buffer.from(`${name}\0`))
    reply = ask(backend, asked)[0] ?? reply
    if (errorOf(reply) !== 0) return reply
    nodeid = nodeidOf(reply)
  }
  return reply
}

const find = (backend: FakeBackend, path: string) => nodeidOf(walk(backend, path))
const open = (backend: FakeBackend, nodeid: number, flags = 0) =>
  ask(backend, request(Opcode.OPEN, nodeid, words(flags, 0)))[0]

function read(backend: FakeBackend, nodeid: number, fh: number, offset = 0, size = 4096) {
  const body = words(fh, 0, offset, 0, size, LOCKOWNER, 0, 0, 0, 0)
  const [reply] = ask(backend, request(Opcode.READ, nodeid, body))
  return errorOf(reply) === 0 ? reply?.subarray(16).toString() : errorOf(reply)
}

function cat(backend: FakeBackend, path: string) {
  const nodeid = find(backend, path)
  return read(backend, nodeid, nodeidOf(open(backend, nodeid)))
}

function list(backend: FakeBackend, nodeid: number, opcode: number = Opcode.READDIR): Buffer {
  const body = words(77, 0, 0, 0, 8192, 0, 0, 0, 0, 0)
  return ask(backend, request(opcode, nodeid, body))[0] ?? Buffer.alloc(0)
}

const names = (reply: Buffer) => {
  const found: string[] = []
  for (let at = 16; at < reply.length; ) {
    const length = reply.readUInt32LE(at + 16)
    found.push(reply.toString('latin1', at + 24, at + 24 + length))
    at += (24 + length + 7) & ~7
  }
  return found
}

t.test('a container finds its CPUs, and reads what they say', async t => {
  const backend = boxWith(cpuView([1], { topology: 'host' }))
  t.equal(cat(backend, 'cpu0/topology/core_id'), '1\n', 'it is the CPU 1 of the host')
  t.equal(cat(backend, 'kernel_max'), '8191\n')
  t.equal(errorOf(walk(backend, 'cpu1')), -ENOENT)
  t.equal(backend.held.get(BOX_SLOT), 4, 'the kernel holds as many nodes as it has looked up')
})

t.test('what was looked up is kept, but for the CPUs themselves', async t => {
  const backend = boxWith(cpuView([0]))
  const valid = (path: string) => Number(walk(backend, path).readBigUInt64LE(ENTRY_VALID_AT))
  t.equal(valid('cpu0'), 0)
  t.ok(valid('cpu0/topology') > 0)
  t.ok(valid('kernel_max') > 0)
})

t.test('attributes are those of sysfs, for reading only', async t => {
  const backend = boxWith(cpuView([0]))
  const mode = (path: string) => walk(backend, path).readUInt32LE(MODE_AT).toString(8)
  t.equal(mode('cpu0'), '40555')
  t.equal(mode('kernel_max'), '100444')
  t.equal(mode('cpu0/node0'), '120777')
  t.equal(walk(backend, 'kernel_max').readBigUInt64LE(SIZE_AT), 4096n)
  t.equal(walk(backend, 'cpu0/node0').readBigUInt64LE(SIZE_AT), 16n)
})

t.test('a link says what it says on the host', async t => {
  const backend = boxWith(cpuView([0]))
  const [reply] = ask(backend, request(Opcode.READLINK, find(backend, 'cpu0/node0')))
  t.equal(reply?.subarray(16).toString(), '../../node/node0')
  t.equal(errorOf(walk(backend, 'cpu0/node0/x')), -ENOENT, 'the server follows none')
  const [none] = ask(backend, request(Opcode.READLINK, find(backend, 'kernel_max')))
  t.equal(errorOf(none), -ENOENT)
})

t.test('directories list what can be looked up, each once', async t => {
  const backend = boxWith(cpuView([1]))
  t.strictSame(names(list(backend, CPU)), [
    ...['offline', 'online', 'possible', 'present', 'cpu0', 'kernel_max'],
  ])
  t.strictSame(names(list(backend, find(backend, 'cpu0'))), ['busy', 'topology'])
  t.strictSame(names(list(backend, BOX + 2)).slice(0, 2), ['cpuinfo', 'diskstats'])
})

t.test('with attributes of entries the kernel is told of the others nothing', async t => {
  const backend = boxWith(cpuView([1]))
  const reply = list(backend, find(backend, 'cpu0'), Opcode.READDIRPLUS)
  t.equal(errorOf(reply), 0)
  t.equal(reply.readBigUInt64LE(16), 0n)
  t.equal(backend.held.get(BOX_SLOT), 1, 'and holds none of them')
})

t.test('nothing is opened for writing, and nothing is made or changed', async t => {
  const backend = boxWith(cpuView([0]))
  const nodeid = find(backend, 'cpu0/topology/core_id')
  for (const flags of [1, 2, 3]) t.equal(errorOf(open(backend, nodeid, flags)), -EACCES)
  const access = (mask: number, node = nodeid) =>
    errorOf(ask(backend, request(Opcode.ACCESS, node, words(mask, 0)))[0])
  t.equal(access(2), -EACCES)
  t.equal(access(1), -EACCES)
  t.equal(access(4), 0)
  t.equal(access(1, find(backend, 'cpu0')), 0)
  for (const opcode of [Opcode.SETATTR, Opcode.WRITE, Opcode.UNLINK, Opcode.CREATE])
    t.equal(errorOf(ask(backend, request(opcode, nodeid, Buffer.alloc(88)))[0]), -EROFS)
})

t.test('files are files and directories directories', async t => {
  const backend = boxWith(cpuView([0]))
  const file = find(backend, 'kernel_max')
  t.equal(errorOf(open(backend, find(backend, 'cpu0'))), -EISDIR)
  t.equal(errorOf(open(backend, find(backend, 'cpu0/node0'))), -EINVAL)
  t.equal(errorOf(ask(backend, request(Opcode.OPENDIR, file, words(0, 0)))[0]), -ENOTDIR)
  t.equal(errorOf(walk(backend, 'kernel_max/x')), -ENOENT)
  const filling = words(1, 0, 0, 0, 4096, 0, 0, 0, 0, 0)
  t.equal(errorOf(ask(backend, request(Opcode.READ, file, filling))[0]), -EINVAL)
})

t.test('a CPU that is taken away is gone, also for who has it open', async t => {
  let view = cpuView([0, 1])
  const backend = boxWith(undefined)
  backend.ofSlot = () => view
  const [directory, file] = [find(backend, 'cpu1'), find(backend, 'cpu1/topology/core_id')]
  const fh = nodeidOf(open(backend, file))
  t.equal(read(backend, file, fh), '0\n')
  view = cpuView([0])
  t.equal(read(backend, file, fh), -ENODEV)
  t.equal(errorOf(open(backend, file)), -ENOENT)
  t.equal(errorOf(ask(backend, request(Opcode.GETATTR, file, Buffer.alloc(16)))[0]), -ENOENT)
  t.equal(errorOf(ask(backend, request(Opcode.OPENDIR, directory, words(0, 0)))[0]), -ENOENT)
  t.equal(errorOf(walk(backend, 'topology', directory)), -ENOENT)
  t.strictSame(names(list(backend, directory)), [])
})

t.test('a file that the host cannot read says why', async t => {
  t.equal(cat(boxWith(cpuView([1])), 'cpu0/busy'), -16)
})

t.test('one pass of reads sees one moment', async t => {
  const tree: Record<string, string> = { 'sys/devices/system/cpu/kernel_max': '8191\n' }
  const backend = boxWith(cpuView([0]), tree)
  const nodeid = find(backend, 'kernel_max')
  const fh = nodeidOf(open(backend, nodeid))
  t.equal(read(backend, nodeid, fh, 0, 2), '81')
  tree['sys/devices/system/cpu/kernel_max'] = '4095\n'
  t.equal(read(backend, nodeid, fh, 2), '91\n')
  t.equal(read(backend, nodeid, fh), '4095\n')
})

t.test('what only root may read is not there, nor what is masked elsewhere', async t => {
  const cpu = 'sys/devices/system/cpu'
  const backend = boxWith(cpuView([1]), {
    ...SYSFS,
    [`${cpu}/probe`]: '',
    [`${cpu}/secret`]: '',
    [`${cpu}/cpu1/crash_notes`]: 'f00\n',
  })
  for (const path of ['probe', 'secret', 'cpu0/crash_notes', 'cpu0/thermal_throttle'])
    t.equal(errorOf(walk(backend, path)), -ENOENT, path)
  t.notOk(names(list(backend, CPU)).some(name => /probe|secret/.test(name)))
  t.notOk(names(list(backend, find(backend, 'cpu0'))).some(name => /crash|thermal/.test(name)))
})

t.test('no name leads out of the directory', async t => {
  const backend = boxWith(cpuView([0]), { ...SYSFS, 'sys/devices/system/secret': 'x\n' })
  for (const name of ['..', '.', '../secret', 'cpu0/topology', '', 'a b', 'cpu#'])
    t.equal(
      errorOf(ask(backend, request(Opcode.LOOKUP, CPU, Buffer.from(`${name}\0`)))[0]),
      -ENOENT,
    )
})

t.test('a number that no server has given is stale', async t => {
  const backend = boxWith(cpuView([0]))
  const nodeid = find(backend, 'cpu0') + 1
  const long = Buffer.alloc(64)
  const { GETATTR, ACCESS, OPEN, READ, OPENDIR, READLINK, LOOKUP } = Opcode
  for (const opcode of [GETATTR, ACCESS, OPEN, READ, OPENDIR, READLINK, LOOKUP]) {
    long.writeUInt32LE(LOCKOWNER, 20)
    t.equal(errorOf(ask(backend, request(opcode, nodeid, long))[0]), -ESTALE)
  }
  ask(backend, request(Opcode.FORGET, nodeid + 2 ** 40, words(1, 0)))
  t.equal(backend.held.get(BOX_SLOT), 1, 'and nobody has it to forget')
})

t.test('who has no view sees the CPUs of the host', async t => {
  const backend = boxWith(undefined)
  t.equal(cat(backend, 'cpu1/topology/core_id'), '1\n')
  t.equal(errorOf(walk(backend, 'cpu1/thermal_throttle')), -ENOENT)
  t.equal(errorOf(walk(backend, 'cpu1', 6)), 0, 'at the top of the mount, too')
})

t.test('entries of directories are kept within bounds', async t => {
  const tree = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`sys/devices/system/cpu/name${i}x`, '']),
  )
  const backend = boxWith(cpuView([0]), tree)
  let lists = 0
  const { sysfs } = backend
  backend.sysfs = {
    has: path => sysfs.has(path),
    find: (path, view) => sysfs.find(path, view),
    list: (path, view) => {
      lists++
      return sysfs.list(path, view)
    },
    read: (path, view) => sysfs.read(path, view),
    link: (path, view) => sysfs.link(path, view),
  }
  const from = (fh: number, offset: number) =>
    ask(backend, request(Opcode.READDIR, CPU, words(fh, 0, offset, 0, 200, 0, 0, 0, 0, 0)))
  for (let fh = 1; fh <= 100; fh++) from(fh, 0)
  t.equal(lists, 100)
  from(100, 2)
  t.equal(lists, 100, 'the last one goes on with what it has')
  from(1, 2)
  t.equal(lists, 101, 'the first one has it listed again')
})

t.test('names that somebody makes up are asked the host for, and nothing else', async t => {
  const asked: string[] = []
  const view = cpuView([1])
  view.hostFile = path => {
    asked.push(path)
    return '1\n'
  }
  const cpu = 'sys/devices/system/cpu'
  const backend = boxWith(view, { ...SYSFS, [`${cpu}/cpufreq/policy1/related_cpus`]: '1\n' })
  for (let i = 2; i < 100; i++) walk(backend, `cpufreq/policy${i}`)
  t.strictSame(asked, [], 'what is kept of a file is kept for ever')
  t.equal(cat(backend, 'cpufreq/policy1/related_cpus'), '0\n')
  t.strictSame([...new Set(asked)], [`${cpu}/cpufreq/policy1/related_cpus`])
})

t.test('a request asks once for the CPUs of its container', async t => {
  const view = cpuView(Array.from({ length: 500 }, (_, i) => i))
  const cpus = view.cpus()
  let asked = 0
  view.cpus = () => {
    asked++
    return cpus
  }
  const tree = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`sys/devices/system/cpu/cpu${i}/online`, '1\n']),
  )
  list(boxWith(view, tree), CPU)
  t.equal(asked, 1)
})
