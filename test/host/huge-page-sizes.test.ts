import t from 'tap'
import { hugePageSizes } from '../../src/host/huge-page-sizes.ts'
import { machine } from '../machines/machine.ts'

const POOLS = 'sys/kernel/mm/hugepages'

t.test('the sizes of huge pages are the names of directories', async t => {
  const host = machine(t, {
    [`${POOLS}/hugepages-2048kB/nr_hugepages`]: '4\n',
    [`${POOLS}/hugepages-1048576kB/nr_hugepages`]: '0\n',
    [`${POOLS}/hugepages-xkB/nr_hugepages`]: '0\n',
    [`${POOLS}/other/nr_hugepages`]: '0\n',
  })
  const sizes = hugePageSizes(host)
  t.same([...sizes].sort(), [1048576, 2048])
  t.equal(hugePageSizes(host), sizes, 'they are asked for once')
})

t.test('a machine without sysfs says nothing, and is asked again', async t => {
  const host = machine(t, {})
  t.same(hugePageSizes(host), [])
  host.set({ [`${POOLS}/hugepages-64kB/nr_hugepages`]: '0\n' })
  t.same(hugePageSizes(host), [64])
})
