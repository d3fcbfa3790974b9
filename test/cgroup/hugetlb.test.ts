import t from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { Hugetlb } from '../../src/cgroup/hugetlb.ts'
import { machine } from '../machines/machine.ts'

t.test('the smallest limit on the way up, and the usage there', async t => {
  const host = machine(t, {
    'sys/fs/cgroup/pod/hugetlb.2MB.max': '4194304\n',
    'sys/fs/cgroup/pod/hugetlb.2MB.current': '2097152\n',
    'sys/fs/cgroup/pod/ctr/hugetlb.2MB.max': '8388608\n',
    'sys/fs/cgroup/pod/ctr/hugetlb.2MB.current': '0\n',
  })
  const hugetlb = new Hugetlb(
    new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/pod/ctr'),
  )
  t.same(hugetlb.read(2048), { limitBytes: 4194304, usageBytes: 2097152 })
})

t.test("v1's names, and the kernel's for sizes", async t => {
  const host = machine(t, {
    'h/ctr/hugetlb.64KB.limit_in_bytes': '65536\n',
    'h/ctr/hugetlb.64KB.usage_in_bytes': '0\n',
    'h/ctr/hugetlb.2MB.limit_in_bytes': '9223372036852678656\n',
    'h/ctr/hugetlb.512MB.limit_in_bytes': '536870912\n',
    'h/ctr/hugetlb.16GB.limit_in_bytes': '0\n',
    'h/ctr/hugetlb.16GB.usage_in_bytes': '17179869184\n',
  })
  const hugetlb = new Hugetlb(new Group(host, { version: 1, mountPoint: 'h' }, '/ctr'))
  t.same(hugetlb.read(64), { limitBytes: 65536, usageBytes: 0 })
  t.equal(hugetlb.read(2048), undefined, 'no limit')
  t.same(hugetlb.read(512 * 1024), { limitBytes: 536870912, usageBytes: 0 })
  t.same(hugetlb.read(16 * 2 ** 20), { limitBytes: 0, usageBytes: 17179869184 })
})
