import t from 'tap'
import { FILES } from '../../src/proc/files.ts'
import { findChild, findPlace, listChildren, rootOfSlot, slotOf } from '../../src/server/tree.ts'

t.test('every file has a number of its own, at the end of its path', async t => {
  const seen = new Set<number>()
  for (const { path } of FILES) {
    let node: number | undefined = rootOfSlot(9)
    for (const name of path.split('/')) node = findChild(node ?? 0, name)
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
    for (const { name, nodeid, directory } of listChildren(parent)) {
      t.equal(findChild(parent, name), nodeid)
      t.equal(findPlace(nodeid)?.file === undefined, directory)
    }
  }
})
