import * as fs from 'node:fs'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { DeviceFiles } from '../../src/container/device-files.ts'
import { Registry } from '../../src/container/registry.ts'
import { RegistryIndex } from '../../src/container/registry-index.ts'

function registry(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-registry-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return { directory, registry: new Registry(directory) }
}

const container = (id: string, slot: number) => ({
  id,
  slot,
  pid: 42,
  startTicks: 1,
  cgroups: {},
  rootfs: '/r',
  rootMount: 64,
  options: {},
})

t.test('a container is found until it is forgotten', async t => {
  const { directory, registry: here } = registry(t)
  t.strictSame(here.ids(), [], 'before anything is registered')
  here.register(container('a', 5))
  here.register(container('b', 6))
  t.strictSame(here.find('a'), container('a', 5))
  const views = new RegistryIndex(here, () => {})
  t.strictSame(views.findSlot(6), container('b', 6))
  t.strictSame(here.ids().sort(), ['a', 'b'])
  here.register(container('a', 7))
  t.equal(here.find('a')?.slot, 7, 'a new registration replaces the old')
  here.forget('a')
  here.forget('a')
  t.equal(here.find('a'), undefined)
  t.equal(views.findSlot(5), undefined)
  t.equal(views.findSlot(7), undefined)
  t.strictSame(readdirSync(join(directory, 'containers')), ['b.json'], 'no temporary file is left')
})

t.test('registrations are read again where their own file has changed', async t => {
  const { directory, registry: here } = registry(t)
  const read: string[] = []
  class Counting extends Registry {
    override find(id: string) {
      read.push(id)
      return super.find(id)
    }
  }
  const index = new RegistryIndex(new Counting(directory), () => {})
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    here.register({ ...container(id, i + 1), cgroups: { memory: `/${id}` } })
  }
  symlinkSync('d.json', join(directory, 'containers/d.json'))
  // What was written just now may be written again in the same tick of the kernel.
  await sleep(50)
  t.ok(index.has(3))
  t.notOk(index.has(4))
  const version = index.versionAtLast
  t.ok(index.has(3))
  t.equal(index.versionAtLast, version)
  read.length = 0
  here.register({ ...container('b', 5), cgroups: { memory: '/b' } })
  here.forget('c')
  await sleep(50)
  t.ok(index.has(5))
  t.notOk(index.has(2))
  t.notOk(index.has(3))
  t.not(index.versionAtLast, version)
  t.strictSame([...new Set(read)], ['b'])
  t.equal(index.findNearest({ memory: '/b/below' }), 5)
  t.equal(index.findNearest({ memory: '/c' }), undefined)
})

t.test('a list that cannot be read is not taken for an empty one', async t => {
  const { directory, registry: here } = registry(t)
  writeFileSync(join(directory, 'containers'), '')
  t.throws(() => here.ids(), { code: 'ENOTDIR' })
  const reported: string[] = []
  here.migrate(error => reported.push(error.message))
  t.match(reported, [/the containers of an earlier version/, /the slots/], 'a start goes on')
})

const shortOf = (code: string) => Object.assign(new Error(`${code}: nothing is left`), { code })

t.test('a registration that cannot be read now is not taken for none', async t => {
  for (const [code, isShort] of [
    ['EMFILE', true],
    ['ENFILE', true],
    ['ENOMEM', true],
    ['ENOENT', false],
    ['ELOOP', false],
  ] as const) {
    const { Registry: Failing } = await t.mockImport<
      typeof import('../../src/container/registry.ts')
    >('../../src/container/registry.ts', {
      'node:fs': {
        ...fs,
        readFileSync: () => {
          throw shortOf(code)
        },
      },
    })
    const { directory } = registry(t)
    if (isShort) t.throws(() => new Failing(directory).find('a'), { code })
    else t.equal(new Failing(directory).find('a'), undefined, code)
  }
})

t.test('while registrations cannot be read those that were known stay', async t => {
  const { directory, registry: here } = registry(t)
  let failing: 'ids' | 'find' | undefined
  class Failing extends Registry {
    override ids() {
      if (failing === 'ids') throw shortOf('EMFILE')
      return super.ids()
    }

    override find(id: string) {
      if (failing === 'find') throw shortOf('ENFILE')
      return super.find(id)
    }
  }
  const reported: string[] = []
  const index = new RegistryIndex(new Failing(directory), message => reported.push(message))
  here.register(container('a', 1))
  here.register({ ...container('b', 2), cgroups: { memory: '/b' } })
  t.ok(index.has(1))
  for (const [what, id, code] of [
    ['ids', 'c', /EMFILE/],
    ['find', 'd', /ENFILE/],
  ] as const) {
    reported.length = 0
    failing = what
    here.register(container(id, 3))
    t.ok(index.has(1) && index.has(2), `${what} fails`)
    t.equal(index.findNearest({ memory: '/b' }), what === 'ids' ? undefined : 2)
    t.throws(() => index.findSlot(9), { message: code })
    t.ok(index.mayHave(9), 'any other may be one that cannot be read')
    t.match(reported, [code], 'and that is said once')
    t.equal(reported.length, 1)
    failing = undefined
    t.ok(index.has(3), 'the next look finds all')
    t.equal(index.findNearest({ memory: '/b' }), 2)
    t.notOk(index.mayHave(9))
    t.equal(index.findSlot(9), undefined)
    here.forget(id)
  }
})

t.test('what an earlier start has left goes when nobody goes back to it', async t => {
  const { directory, registry: here } = registry(t)
  const files = new DeviceFiles(directory)
  const devices = { nodes: [], rootDisk: undefined, collectedUsec: 1, isEarly: false }
  const start = (slot: number, pid: number) => {
    const container = { id: 'a', slot, pid, startTicks: 1 }
    files.save(container, devices, () => true)
    return here.register({ ...described, ...container })
  }
  const left = () => ['slots', 'devices'].map(name => readdirSync(join(directory, name)))
  const { slot: _, ...described } = container('a', 0)
  const first = start(5, 42)
  const second = start(6, 43)
  t.same(here.register(first), first, 'bound in vain, and back')
  t.not(files.find(first), undefined)
  here.register(second)
  here.forgetEarlier(first, second)
  t.strictSame(left(), [['6'], ['43-1']])
  here.forgetEarlier(second, here.register(second))
  t.strictSame(left(), [['6'], ['43-1']], 'the same start again')
})

t.test('the longest id is a file name too', async t => {
  const { registry: here } = registry(t)
  for (const length of [250, 251, 255]) {
    const id = 'x'.repeat(length)
    here.register(container(id, length))
    t.equal(here.find(id)?.slot, length)
    t.strictSame(here.ids(), [id])
    here.forget(id)
    t.equal(here.find(id), undefined)
  }
})

t.test('no two ids share a file', async t => {
  const { directory, registry: here } = registry(t)
  const short = 'x'.repeat(250)
  const long = `${short}.json`
  for (const [first, second] of [
    [short, long],
    [long, short],
  ] as const) {
    here.register(container(first, 1))
    here.register(container(second, 2))
    t.equal(here.find(first)?.slot, 1)
    t.equal(here.find(second)?.slot, 2)
    t.strictSame(here.ids().sort(), [short, long])
    here.forget(first)
    t.equal(here.find(second)?.slot, 2)
    here.forget(second)
    t.strictSame(readdirSync(join(directory, 'containers')), [])
  }
  // As a version wrote it that had one name for both.
  writeFileSync(join(directory, 'containers', long), JSON.stringify(container(long, 3)))
  t.equal(here.find(long), undefined)
  here.migrate(error => t.fail(error.message))
  t.equal(here.find(long)?.slot, 3)
  t.strictSame(here.ids(), [long])
  here.register(container(short, 4))
  here.migrate(error => t.fail(error.message))
  t.equal(here.find(short)?.slot, 4)
  t.equal(here.find(long)?.slot, 3)
})

t.test('what of an earlier version cannot be taken over is told', async t => {
  const { directory, registry: here } = registry(t)
  const [long, other] = [`${'a'.repeat(245)}.json`, `${'b'.repeat(245)}.json`]
  mkdirSync(join(directory, 'containers', `${long}.json`), { recursive: true })
  for (const id of [long, other]) {
    writeFileSync(join(directory, 'containers', id), JSON.stringify(container(id, id.length)))
  }
  writeFileSync(join(directory, 'slots'), '')
  const told: string[] = []
  here.migrate(({ message }) => told.push(message))
  t.match(told.join(), 'the slots')
  t.equal(here.find(other)?.id, other, 'the others are taken over')
})

t.test('what is no registration is not found', async t => {
  const { directory, registry: here } = registry(t)
  mkdirSync(join(directory, 'containers'))
  writeFileSync(join(directory, 'secret.json'), JSON.stringify(container('secret', 1)))
  writeFileSync(join(directory, 'containers/damaged.json'), '{"id":')
  writeFileSync(join(directory, 'containers/other.json'), JSON.stringify(container('a', 1)))
  for (const id of ['../secret', 'damaged', 'other', 'nothing', '']) {
    t.equal(here.find(id), undefined, id)
  }
  t.strictSame([...here.containers()], [])
})

t.test('a folder that cannot be written is named', async t => {
  const { directory } = registry(t)
  writeFileSync(join(directory, 'file'), '')
  const here = new Registry(join(directory, 'file'))
  t.throws(() => here.register(container('a', 1)), /Cannot register a in .*file\/containers/)
})

t.test('registrations are not read again until one changes', async t => {
  const { directory, registry: here } = registry(t)
  const views = new RegistryIndex(here, () => {})
  t.equal(views.findNearest({ '': '/pod/box/inner' }), undefined)
  here.register({ ...container('pod', 1), cgroups: { '': '/pod', cpu: '/' } })
  here.register({ ...container('box', 2), cgroups: { '': '/pod/box', cpu: '/' } })
  t.equal(views.findNearest({ '': '/pod/box/inner' }), 2, 'the nearest')
  t.equal(views.findNearest({ '': '/pod/boxes' }), 1, 'by whole names')
  t.equal(views.findNearest({ '': '/podium' }), undefined)
  t.equal(views.findNearest({ cpu: '/pod' }), undefined, 'by hierarchy; the root is nobody')
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(views.findNearest({ '': '/pod/box' }), 2)
  t.equal(views.findSlot(2)?.id, 'box')
  // In place, which registering never does: nobody notices but who wants it whole.
  writeFileSync(join(directory, 'containers/box.json'), 'damaged')
  t.equal(views.findNearest({ '': '/pod/box' }), 2)
  t.equal(views.has(2), true)
  t.equal(views.findSlot(2), undefined)
  here.forget('pod')
  t.strictSame(
    [1, 2].map(slot => views.has(slot)),
    [false, false],
  )
  t.equal(views.findNearest({ '': '/pod/box' }), undefined)
})
