import t from 'tap'
import {
  findChild,
  findPlace,
  listChildren,
  rootOfSlot,
  slotOf,
} from '../../src/filesystem/tree.ts'
import { FILES } from '../../src/proc/files.ts'

const ALL = new Set(FILES)

t.test('every file has a number of its own, at the end of its path', async t => {
  const seen = new Set<number>()
  for (const { path } of FILES) {
    let node: number | undefined = rootOfSlot(9)
    for (const name of path.split('/')) node = findChild(node ?? 0, name, ALL)
    t.equal(findPlace(node ?? 0)?.path, path)
    t.equal(slotOf(node ?? 0), 9)
    seen.add(node ?? 0)
  }
  t.equal(seen.size, FILES.length)
})

t.test('numbers stay what they are: kernels remember them across an upgrade', async t => {
  t.equal(rootOfSlot(0), 1)
  t.equal(findPlace(rootOfSlot(0))?.path, '')
  t.equal(findPlace(5 * 256 + 35)?.path, 'proc/meminfo')
  t.equal(findPlace(2 ** 44 * 256 + 40)?.path, 'sys/devices/system/cpu/online')
})

t.test('a list names what can be found', async t => {
  for (const parent of [1, 2, 6, rootOfSlot(5)]) {
    for (const { name, nodeid, directory } of listChildren(parent, ALL)) {
      t.equal(findChild(parent, name, ALL), nodeid)
      t.equal(findPlace(nodeid)?.file === undefined, directory)
    }
  }
})

t.test('what the host has not is not there, nor a directory of nothing else', async t => {
  const some = new Set(FILES.filter(({ path }) => !path.startsWith('proc/pressure/')))
  t.equal(findChild(2, 'pressure', some), undefined)
  t.notOk(listChildren(2, some).some(({ name }) => name === 'pressure'))
  t.equal(findChild(2, 'meminfo', new Set()), undefined)
  t.ok(findChild(2, 'meminfo', some))
  t.ok(findChild(1, 'containers', new Set()), 'containers are no files of the host')
})
