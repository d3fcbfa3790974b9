import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DeviceFiles } from '../../src/container/device-files.ts'

const INIT = { pid: 42, startTicks: 900 }
const NODE = { name: 'data', major: 8, minor: 16, wholeDisk: undefined }
const FOUND = {
  nodes: [NODE, { ...NODE, name: 'sda1', minor: 1, wholeDisk: { major: 8, minor: 0 } }],
  rootDisk: { major: 253, minor: 1 },
  collectedUsec: 12_345_678,
  isEarly: false,
}

t.test('devices survive a round trip, for this very process', async t => {
  const files = new DeviceFiles(t.testdir())
  t.equal(files.find(INIT), undefined)
  files.save(INIT, FOUND, () => true)
  t.strictSame(files.find(INIT), FOUND)
  t.equal(files.find({ ...INIT, startTicks: 901 }), undefined, 'another with the same pid')
  files.remove(INIT)
  files.remove(INIT)
  t.equal(files.find(INIT), undefined)
})

t.test('a damaged file is none', async t => {
  const directory = t.testdir()
  mkdirSync(join(directory, 'devices'))
  const files = new DeviceFiles(directory)
  const damaged = [
    ...['', '{', 'null', '[]', '{}'],
    JSON.stringify({ ...FOUND, nodes: 'none' }),
    JSON.stringify({ ...FOUND, nodes: [null] }),
    JSON.stringify({ ...FOUND, nodes: [{ ...NODE, major: -1 }] }),
    JSON.stringify({ ...FOUND, rootDisk: 3 }),
    JSON.stringify({ ...FOUND, collectedUsec: 'now' }),
  ]
  for (const text of damaged) {
    writeFileSync(join(directory, 'devices/42-900'), text)
    t.equal(files.find(INIT), undefined, text)
  }
})

t.test('what has too many bytes is neither saved nor read', async t => {
  const directory = t.testdir()
  const files = new DeviceFiles(directory)
  files.save(INIT, FOUND, () => true)
  const nodes = [{ ...NODE, name: 'x'.repeat(2 ** 20) }]
  t.throws(() => files.save(INIT, { ...FOUND, nodes }, () => true), RangeError)
  t.strictSame(files.find(INIT), FOUND, 'the earlier ones stay')
  writeFileSync(join(directory, 'devices/42-900'), JSON.stringify({ ...FOUND, nodes }))
  t.equal(files.find(INIT), undefined)
})

t.test('each save makes another version', async t => {
  const files = new DeviceFiles(t.testdir())
  t.equal(files.version(INIT), undefined)
  files.save(INIT, FOUND, () => true)
  const first = files.version(INIT)
  t.type(first, 'string')
  t.equal(files.version(INIT), first)
  files.save(INIT, FOUND, () => true)
  t.not(files.version(INIT), first)
})

/** Has files of so many bytes saved, the first one longest ago; 42 is the init of the last one. */
function saveMany(t: Test, count: number, bytes: number, isAlive: (pid: number) => boolean) {
  const directory = t.testdir({ devices: {} })
  for (let pid = 100; pid < 100 + count; pid++) {
    const file = join(directory, `devices/${pid}-900`)
    writeFileSync(file, Buffer.alloc(bytes))
    utimesSync(file, pid, pid)
  }
  const asked: number[] = []
  const ask = ({ pid = 0 }: { pid: number | undefined }) => {
    asked.push(pid)
    return isAlive(pid)
  }
  new DeviceFiles(directory).save(INIT, FOUND, ask)
  const pids = readdirSync(join(directory, 'devices')).map(name => Number(name.split('-')[0]))
  return { pids: pids.sort((a, b) => a - b), asked }
}

const range = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, i) => first + i)

t.test('nothing is removed, and nobody looked for, where there are few', async t => {
  const { pids, asked } = saveMany(t, 2047, 10, () => false)
  t.equal(pids.length, 2048)
  t.strictSame(asked, [])
})

t.test('where there are too many files, those of inits that have ended go first', async t => {
  const { pids } = saveMany(t, 2048, 10, pid => pid < 2000)
  t.strictSame(pids, [42, ...range(100 + (513 - 148), 2000)])
})

t.test('where there are too many bytes, the oldest files go', async t => {
  const { pids } = saveMany(t, 40, 2 ** 19, () => true)
  t.strictSame(pids, [42, ...range(117, 140)])
})

t.test('what was left half written goes too', async t => {
  const directory = t.testdir({ devices: {} })
  const left = join(directory, 'devices/.7.new')
  writeFileSync(left, Buffer.alloc(2 ** 24))
  utimesSync(left, 1, 1)
  new DeviceFiles(directory).save(INIT, FOUND, () => true)
  t.strictSame(readdirSync(join(directory, 'devices')), ['42-900'])
})
