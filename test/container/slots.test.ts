import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MAX_SLOT } from '../../src/container/container.ts'
import { Registry } from '../../src/container/registry.ts'
import { RegistryIndex } from '../../src/container/registry-index.ts'
import { Slots } from '../../src/container/slots.ts'

function runDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-slots-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

const container = (id: string, slot?: number) => ({
  id,
  ...(slot === undefined ? {} : { slot }),
  pid: 42,
  startTicks: 1,
  cgroups: { '': `/${id}` },
  rootfs: '/r',
  rootMount: 64,
  options: {},
})

/** As a version without links registered it: the file alone. */
function writeEarlier(directory: string, id: string, slot: number): void {
  writeFileSync(join(directory, `containers/${id}.json`), JSON.stringify(container(id, slot)))
}

t.test('a slot stays the same for a process, and differs between processes', async t => {
  const directory = runDirectory(t)
  const slot = (id: string, pid: number, startTicks: number) =>
    new Slots(directory).make({ id, pid, startTicks })
  const own = slot('box', 42, 7)
  t.ok(Number.isInteger(own) && own >= 1 && own < MAX_SLOT)
  t.equal(slot('box', 42, 7), own)
  t.not(slot('box2', 42, 7), own)
  t.not(slot('box', 43, 7), own)
  t.not(slot('box', 42, 8), own, 'started again')
})

t.test('nobody outside can tell the slot: each run directory has a secret', async t => {
  const [one, other] = [runDirectory(t), runDirectory(t)]
  const who = { id: 'box', pid: 42, startTicks: 7 }
  t.not(new Slots(one).make(who), new Slots(other).make(who))
  t.equal(statSync(join(one, 'slot.key')).mode & 0o777, 0o600)
  t.strictSame(readdirSync(one), ['slot.key'], 'no temporary file is left')
  writeFileSync(join(one, 'slot.key'), 'short')
  t.ok(new Slots(one).make(who) >= 1, 'a damaged secret is made anew')
  t.equal(statSync(join(one, 'slot.key')).size, 16)
})

t.test('slots of many containers do not meet', async t => {
  const slots = new Slots(runDirectory(t))
  const made = new Set<number>()
  for (let pid = 2; pid < 502; pid++) {
    made.add(slots.make({ id: 'box', pid, startTicks: 1 }))
    made.add(slots.make({ id: `box${pid}`, pid: 42, startTicks: 1 }))
  }
  t.equal(made.size, 1000)
})

t.test('a slot that another container has is refused', async t => {
  const directory = runDirectory(t)
  const registry = new Registry(directory)
  registry.register(container('victim', 5))
  t.throws(() => registry.register(container('other', 5)), {
    cause: { message: /Cannot give slot 5 to other: the container victim has it/ },
  })
  t.equal(registry.find('other'), undefined, 'and nothing is registered')
  t.equal(new RegistryIndex(registry, () => {}).findSlot(5)?.id, 'victim')
  registry.register(container('victim', 5))
  registry.forget('victim')
  t.equal(registry.register(container('other', 5)).slot, 5, 'what was forgotten is free')
  registry.register(container('other', 6))
  t.strictSame(readdirSync(join(directory, 'slots')), ['6'], 'a link goes with its registration')
  registry.forget('other')
  t.strictSame(readdirSync(join(directory, 'slots')), [])
})

t.test('a registration that was lost does not hold its slot', async t => {
  const directory = runDirectory(t)
  const registry = new Registry(directory)
  registry.register(container('lost', 5))
  rmSync(join(directory, 'containers/lost.json'))
  registry.register(container('other', 5))
  t.equal(registry.owner(5), 'other')
})

t.test('a process keeps the slot that an earlier version gave it', async t => {
  const directory = runDirectory(t)
  const registry = new Registry(directory)
  const { slot } = registry.register(container('new'))
  writeEarlier(directory, 'old', 77)
  registry.migrate(error => t.fail(error.message))
  t.equal(registry.owner(77), 'old')
  t.equal(registry.register(container('old')).slot, 77, 'the nodes of its files stay valid')
  const again = { ...container('old'), startTicks: 2 }
  t.not(registry.register(again).slot, 77, 'started again')
  rmSync(join(directory, 'containers/new.json'))
  t.equal(registry.register(container('new')).slot, slot, 'a lost one comes back')
})

t.test('of two containers that an earlier version gave one slot none shows the other', async t => {
  const directory = runDirectory(t)
  const registry = new Registry(directory)
  registry.register(container('third', 6))
  writeEarlier(directory, 'victim', 5)
  writeEarlier(directory, 'attacker', 5)
  registry.migrate(error => t.fail(error.message))
  const index = new RegistryIndex(registry, () => {})
  t.equal(index.findSlot(5), undefined)
  t.equal(index.has(5), false)
  t.equal(index.findNearest({ '': '/victim' }), undefined)
  t.equal(index.findNearest({ '': '/third' }), 6)
  registry.register(container('victim'))
  t.equal(
    new RegistryIndex(registry, () => {}).findSlot(5)?.id,
    'victim',
    'the first to come has it',
  )
  t.throws(() => registry.register(container('attacker')), { cause: { message: /has it/ } })
})
