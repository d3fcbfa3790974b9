import t, { type Test } from 'tap'
import { Group } from '../../../src/cgroup/group.ts'
import { CpuBandwidthV1, CpusetV1 } from '../../../src/cgroup/v1/cpu.ts'
import { machine } from '../../machines/machine.ts'

function group(t: Test, path: string, files: Record<string, string>): Group {
  const below = Object.entries(files).map(([file, text]) => [`sys/fs/cgroup/cpu/${file}`, text])
  return new Group(
    machine(t, Object.fromEntries(below)),
    { version: 1, mountPoint: 'sys/fs/cgroup/cpu' },
    path,
  )
}

const quotaOf = (t: Test, quota: string, period: string) =>
  new CpuBandwidthV1(
    group(t, '/ctr', { 'ctr/cpu.cfs_quota_us': quota, 'ctr/cpu.cfs_period_us': period }),
  ).quota()

t.test('a quota is quota and period', async t => {
  t.same(quotaOf(t, '150000\n', '100000\n'), { quotaUsec: 150_000, periodUsec: 100_000 })
})

t.test('a quota of -1 or 0, or a period of 0, is none', async t => {
  t.equal(quotaOf(t, '-1\n', '100000\n'), undefined)
  t.equal(quotaOf(t, '0\n', '100000\n'), undefined)
  t.equal(quotaOf(t, '100000\n', '0\n'), undefined)
  t.equal(quotaOf(t, 'x\n', '100000\n'), undefined)
  t.equal(new CpuBandwidthV1(group(t, '/ctr', {})).quota(), undefined)
})

t.test('a smaller quota in the parent counts', async t => {
  const ctr = group(t, '/pod/ctr', {
    'cpu.cfs_quota_us': '10000',
    'cpu.cfs_period_us': '100000',
    'pod/cpu.cfs_quota_us': '50000\n',
    'pod/cpu.cfs_period_us': '50000\n',
    'pod/ctr/cpu.cfs_quota_us': '200000\n',
    'pod/ctr/cpu.cfs_period_us': '100000\n',
  })
  t.same(new CpuBandwidthV1(ctr).quota(), { quotaUsec: 50_000, periodUsec: 50_000 })
})

t.test('effective CPUs go before configured ones', async t => {
  const ctr = group(t, '/ctr', {
    'ctr/cpuset.effective_cpus': '0-1\n',
    'ctr/cpuset.cpus': '0-7\n',
  })
  t.same(new CpusetV1(ctr).cpus(), [0, 1])
  t.same(new CpusetV1(group(t, '/ctr', { 'ctr/cpuset.cpus': '0-7\n' })).cpus()?.length, 8)
})

t.test('the parent speaks for a cpuset that nobody has set up', async t => {
  const ctr = group(t, '/pod/ctr', {
    'pod/cpuset.cpus': '2-3\n',
    'pod/ctr/cpuset.cpus': '\n',
    'pod/ctr/cpuset.effective_cpus': '\n',
  })
  t.same(new CpusetV1(ctr).cpus(), [2, 3])
})

t.test('without any cpuset nothing is said', async t => {
  t.equal(new CpusetV1(group(t, '/ctr', {})).cpus(), undefined)
})
