import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
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

t.test('where there are too many, those of processes that have ended go', async t => {
  const directory = t.testdir({ devices: {} })
  const names = Array.from({ length: 4096 }, (_, i) => `${i + 100}-900`)
  for (const name of names) writeFileSync(join(directory, 'devices', name), '')
  new DeviceFiles(directory).save(INIT, FOUND, ({ pid }) => pid === 42 || pid === 100)
  t.strictSame(readdirSync(join(directory, 'devices')).sort(), ['100-900', '42-900'])
})
