import t from 'tap'
import { parseCgroupPaths, parseHierarchies } from '../../src/cgroup/hierarchy.ts'

t.test('a path may hold colons: only the first two separate', async t => {
  t.same(parseCgroupPaths('3:cpu,cpuacct:/a:b/ctr\n1:name=systemd:/x\n0::/a:b/ctr\n'), {
    cpu: '/a:b/ctr',
    cpuacct: '/a:b/ctr',
    '': '/a:b/ctr',
  })
})

t.test('on a hybrid host a controller belongs to the v1 hierarchy that has it', async t => {
  const mountinfo = `
31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`
  const hierarchies = parseHierarchies(mountinfo, mountPoint => {
    t.equal(mountPoint, 'sys/fs/cgroup/unified')
    return 'pids memory\n'
  })
  t.same(hierarchies.get('memory'), { version: 1, mountPoint: 'sys/fs/cgroup/memory' })
  t.same(hierarchies.get('cpuacct'), { version: 1, mountPoint: 'sys/fs/cgroup/cpu,cpuacct' })
  t.same(hierarchies.get('pids'), { version: 2, mountPoint: 'sys/fs/cgroup/unified' })
  t.equal(hierarchies.get('cpuset'), undefined)
})
