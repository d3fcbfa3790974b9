/** A run directory in which anything may lie: no file of ours can cost more than what that file holds. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { type Container, renderContainer } from '../../src/container/container.ts'
import { Records } from '../../src/container/records/records.ts'
import { Registry } from '../../src/container/registry.ts'
import { RegistryIndex } from '../../src/container/registry-index.ts'
import { HandleNumbers } from '../../src/filesystem/handle-numbers.ts'
import { NodeNumbers } from '../../src/filesystem/node-numbers.ts'
import { fileKey, QUARANTINE_CELLS, Quarantine } from '../../src/filesystem/quarantine.ts'
import { Renderer } from '../../src/filesystem/renderer.ts'
import { SavedTexts } from '../../src/filesystem/saved-texts.ts'
import { findPlace, slotOf } from '../../src/filesystem/tree.ts'
import { FILES } from '../../src/proc/files.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { findKeeper } from '../../src/service/status.ts'
import { Views } from '../../src/view/views.ts'
import { checkFile } from '../consumers/files.ts'
import { FIRST_NODE } from '../filesystem/fake-backend.ts'
import { numberMap } from '../machines/records.ts'
import { filesOf, renderAll, viewOf } from '../property/container.ts'
import { hostFiles, SMALL_HOST } from '../property/hosts.ts'
import { MemoryHost } from '../property/memory-host.ts'
import { ensure } from '../property/runs.ts'
import { cgroupPaths, HEALTHY_LEVEL, type Tree } from '../property/trees.ts'
import { attempt, fuzzer, requireOurs } from './fuzzer.ts'
import { anyJson, damaged } from './mutations.ts'

const TREE: Tree = { kind: 'v2', levels: [HEALTHY_LEVEL], threads: 'RSD' }
const LAYERS = [
  ...filesOf(hostFiles(SMALL_HOST), TREE),
  {
    'proc/self/mountinfo': '30 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu cpuset io memory hugetlb\n',
  },
]
const SLOT = 5
const BOX: Container = {
  ...{ id: 'box', pid: 4242, startTicks: 100_000, slot: SLOT, cgroups: cgroupPaths(TREE) },
  ...{ rootfs: '/', rootMount: 61, options: {} },
}
const LONG_ID = 'x'.repeat(255)
const KEEPER = { pid: 4242, startTicks: 100_000, version: '1', executable: '/x', sinceMs: 1 }

/** What a view of the container has accumulated, by file. */
function accumulated(): Map<string, Float64Array> {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-fuzz-'))
  const files = new Map<string, Float64Array>()
  const records = new Records(directory, numberMap(files), () => {})
  const host = new MemoryHost(...LAYERS)
  const view = viewOf(host, TREE, { diskTimes: 'apportion' }, records.of(SLOT, BOX.id))
  for (let i = 0; i < 3; i++) {
    host.clock.advance(7)
    renderAll({ host, view })
    view.tick()
  }
  rmSync(directory, { recursive: true })
  return new Map([...files].map(([file, numbers]) => [basename(file), numbers]))
}

/** Some numbers at the start of a file, where the head and the first records are, are others. */
const segments = Object.fromEntries(
  [...accumulated()].map(([name, good]) => [
    `records/${name}`,
    fc.array(fc.tuple(fc.nat(150), fc.oneof(fc.double(), fc.nat(200)))).map(changes => {
      const numbers = Float64Array.from(good)
      for (const [at, number] of changes) numbers[at] = number
      return Buffer.from(numbers.buffer)
    }),
  ]),
)

/** What 0.2.0 has written down. */
const STATE = JSON.parse(
  readFileSync(new URL('../../fixtures/states/v2.json', import.meta.url), 'utf8'),
).state

const registration = anyJson([BOX, { ...BOX, options: { cpuQuota: 'off', files: ['meminfo'] } }])
const other = anyJson([
  { ...BOX, id: 'other' },
  { ...BOX, id: LONG_ID, slot: 2 ** 44, detached: true },
])
const state = anyJson([STATE])
const CPU = 'sys/devices/system/cpu'
const NODES = [
  `procveil nodes 1\npath ${CPU}/cpu#/online\nview 7 5\nview 8 0\nnext 9\n`,
  `procveil nodes 1\nnext 16777215\npath ${CPU}/cpufreq\nview 16777215 17592186044416\n`,
]
const counts = damaged(['1048576\n', '0\n', '9007199254740991\n'].map(each => Buffer.from(each)))
const bytes = fc.uint8Array({ maxLength: 40 }).map(each => Buffer.from(each))
const good = fc.constant(Buffer.from(renderContainer(BOX)))
const CONTENTS: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  'containers/box.json': fc.oneof(registration, good, good),
  'containers/other.json': other,
  'containers/other': other,
  [`containers/${LONG_ID}`]: other,
  'containers/-.json': bytes,
  [`state/${SLOT}.json`]: state,
  ...segments,
  'records/32-99': bytes,
  'texts/1200': bytes,
  'texts/1e3': bytes,
  'texts/9007199254740991': bytes,
  handles: counts,
  nodes: damaged(NODES.map(each => Buffer.from(each))),
  'service.json': anyJson([KEEPER]),
  'slot.key': bytes,
}
const NAMES = Object.keys(CONTENTS)

const file = fc.constantFrom(...NAMES).chain(name =>
  fc.record({
    name: fc.constant(name),
    content: fc.oneof(
      { weight: 12, arbitrary: CONTENTS[name] ?? bytes },
      { weight: 1, arbitrary: fc.constantFrom('a directory' as const, 'a link' as const) },
    ),
  }),
)
const values = fc.record({
  files: fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 8 }),
  slots: fc.dictionary(
    fc.constantFrom('5', '6', '0', '-1', 'x', String(2 ** 44)),
    fc.constantFrom('box', 'other', '../box', '.', 'gone', LONG_ID),
    { maxKeys: 3 },
  ),
  cells: fc.array(fc.double(), { maxLength: QUARANTINE_CELLS }),
  blameUsec: fc.option(fc.nat(), { nil: undefined }),
})
type Value = typeof values extends fc.Arbitrary<infer T> ? T : never

export const FUZZER = fuzzer(values, (value, directory) => {
  write(directory, value)
  const host = new MemoryHost(...LAYERS)
  const registry = new Registry(directory)
  registry.migrate(() => {})
  checkViews(host, registry, directory)
  checkQuarantine(host, value)
  attempt(() => findKeeper(host, directory))
  checkNodes(directory)
  const texts = new SavedTexts(directory)
  const numbers = new HandleNumbers(directory, 0, texts.highest)
  const [fh, next] = [numbers.take(), numbers.take()]
  ensure(fh >= 0 && fh > texts.highest && next > fh, () => `handles are ${fh} and ${next}`)
  texts.save(fh, SLOT, Buffer.from('text'))
  texts.load(fh)
  texts.remove(fh)
  for (const id of registry.ids().concat('new')) attempt(() => registry.register({ ...BOX, id }))
  const ids = registry.ids()
  for (const id of ids) attempt(() => registry.forget(id))
})

function write(directory: string, { files, slots }: Value): void {
  for (const { name, content } of files) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    if (content === 'a directory') mkdirSync(path)
    else if (content === 'a link') symlinkSync(path, path)
    else writeFileSync(path, content)
  }
  mkdirSync(join(directory, 'slots'), { recursive: true })
  for (const [slot, id] of Object.entries(slots)) symlinkSync(id, join(directory, 'slots', slot))
}

/** The container's files are such that all can read them, whatever was written down of it. */
function checkViews(host: MemoryHost, registry: Registry, directory: string): void {
  const records = new Records(directory, numberMap(), () => {})
  const setup = { host, registry, records, defaults: DEFAULT_OPTIONS }
  const views = new Views({ ...setup, report: () => {}, isOpen: () => false })
  const renderer = new Renderer(host, { error: requireOurs }, view => views.keep(view))
  const index = new RegistryIndex(registry, () => {})
  index.findNearest({ '': '/ctr/a/b', memory: '/' })
  for (const id of registry.ids()) {
    const slot = views.findSlot(id)
    if (slot === undefined) continue
    ensure(Number.isSafeInteger(slot) && slot >= 0, () => `the slot of ${id} is ${slot}`)
    const known = index.findSlot(slot)
    ensure(known === undefined || known.slot === slot, () => `${known?.id} is not in ${slot}`)
    views.retain(slot)
    const view = views.ofSlot(slot)
    for (const file of FILES) {
      if (host.tryRead(file.path) === undefined) continue
      checkFile(file.path, renderer.render(file, view).toString())
    }
    host.clock.advance(6)
    views.tick()
    views.release(slot, 1)
  }
}

/** Whatever the table says, a node is one of a path that cannot lead anywhere else, and the next server knows it. */
function checkNodes(directory: string): void {
  const open = () =>
    new NodeNumbers(join(directory, 'nodes'), { report: () => {}, isUsed: () => true })
  const numbers = open()
  const paths = [`${CPU}/cpu3/online`, `${CPU}/cpufreq`, `${CPU}/cpu12/cache/index0/size`]
  for (const path of paths) {
    const nodeid = numbers.numberOf(SLOT, path)
    if (nodeid === undefined) continue
    ensure(nodeid >= FIRST_NODE && nodeid < 2 ** 53, () => `${path} is ${nodeid}`)
    for (const each of [numbers, open()]) {
      const found = each.find(nodeid)
      ensure(found?.path === path && found.slot === SLOT, () => `${path} is ${found?.path}`)
    }
  }
  for (let at = 0; at < 2 ** 16; at += 977) {
    const path = numbers.find(FIRST_NODE + 7 * 2 ** 27 + at)?.path ?? ''
    ensure(!/(^|\/)(\.|\.\.|)\/|[\0#]/.test(path), () => `${at} is ${path}`)
  }
}

/** Numbers that a server before has left, or something else. */
function checkQuarantine(host: MemoryHost, { cells, blameUsec }: Value): void {
  const all = new Float64Array(QUARANTINE_CELLS)
  all.set(cells)
  const quarantine = new Quarantine(all, host.clock)
  const blamed = quarantine.blame(blameUsec)
  if (blamed !== undefined) {
    findPlace(blamed)
    slotOf(blamed)
  }
  for (const file of FILES) {
    const key = fileKey(SLOT, file)
    if (quarantine.begin(key)) quarantine.end()
  }
  host.clock.advance(300)
  for (const key of all) {
    ensure(!quarantine.has(key), () => `${key} is never rendered again`)
  }
}
