import t, { type Test } from 'tap'
import { Group } from '../../../src/cgroup/group.ts'
import {
  CpuBandwidthV2,
  CpusetV2,
  CpuUsageV2,
  parseCpuMax,
  parseCpuStat,
} from '../../../src/cgroup/v2/cpu.ts'
import { bytesOf } from '../../../src/host/directory-file.ts'
import { machine } from '../../machines/machine.ts'

function group(t: Test, path: string, files: Record<string, string>): Group {
  const below = Object.entries(files).map(([file, text]) => [`sys/fs/cgroup/${file}`, text])
  return new Group(
    machine(t, Object.fromEntries(below)),
    { version: 2, mountPoint: 'sys/fs/cgroup' },
    path,
  )
}

t.test('a quota is two numbers, "max" is none', async t => {
  t.same(parseCpuMax(bytesOf('150000 100000\n')), { quotaUsec: 150_000, periodUsec: 100_000 })
  t.same(parseCpuMax(bytesOf('150000\n')), { quotaUsec: 150_000, periodUsec: 100_000 })
  for (const text of ['max 100000\n', '', 'x y\n', '-1 100000', '0 100000', '5000 0', '1 x']) {
    t.equal(parseCpuMax(bytesOf(text)), undefined, text)
  }
  t.same(parseCpuMax(bytesOf(' 5\t7\n9')), { quotaUsec: 5, periodUsec: 7 }, 'as words')
  t.equal(parseCpuMax(undefined), undefined)
})

t.test('the smallest quota of the ancestors counts', async t => {
  const ctr = group(t, '/a/b/c', {
    'cpu.max': '100000 100000\n',
    'a/cpu.max': '300000 100000\n',
    'a/b/cpu.max': '400000 100000\n',
    'a/b/c/cpu.max': 'max 100000\n',
  })
  t.same(new CpuBandwidthV2(ctr).quota(), { quotaUsec: 300_000, periodUsec: 100_000 })
})

t.test('a level without the controller, or with a damaged file, limits nothing', async t => {
  const ctr = group(t, '/a/b/c', { 'a/cpu.max': '50000 100000\n', 'a/b/cpu.max': 'garbage\n' })
  t.same(new CpuBandwidthV2(ctr).quota(), { quotaUsec: 50_000, periodUsec: 100_000 })
  t.equal(new CpuBandwidthV2(group(t, '/ctr', {})).quota(), undefined)
})

t.test('niced time is taken out of user time', async t => {
  t.same(parseCpuStat('usage_usec 11\nuser_usec 10\nsystem_usec 1\nnice_usec 4\n'), {
    userUsec: 6,
    niceUsec: 4,
    systemUsec: 1,
    perCpu: undefined,
  })
})

t.test('a kernel that does not tell niced time has none', async t => {
  const usage = parseCpuStat('usage_usec 11\nuser_usec 10\nsystem_usec 1\nnr_periods 0\n')
  t.match(usage, { userUsec: 10, niceUsec: 0, systemUsec: 1 })
})

t.test('niced time is at most user time', async t => {
  t.match(parseCpuStat('user_usec 10\nsystem_usec 1\nnice_usec 12\n'), {
    userUsec: 0,
    niceUsec: 10,
  })
})

t.test('usage that does not parse is no usage', async t => {
  t.equal(parseCpuStat('user_usec -1\nsystem_usec 1\n'), undefined)
  t.equal(parseCpuStat('user_usec 1\n'), undefined)
  t.equal(new CpuUsageV2(group(t, '/ctr', {})).usage(), undefined)
})

t.test('usage is that of the own cgroup', async t => {
  const ctr = group(t, '/pod/ctr', {
    'pod/cpu.stat': 'user_usec 100\nsystem_usec 100\n',
    'pod/ctr/cpu.stat': 'user_usec 7\nsystem_usec 5\n',
  })
  t.match(new CpuUsageV2(ctr).usage(), { userUsec: 7, systemUsec: 5 })
})

t.test('the nearest level with a cpuset has the CPUs', async t => {
  const ctr = group(t, '/a/b/c', {
    'cpuset.cpus.effective': '0-7\n',
    'a/cpuset.cpus.effective': '0-3\n',
    'a/b/cpuset.cpus.effective': '2-3\n',
  })
  t.same(new CpusetV2(ctr).cpus(), [2, 3])
  t.equal(new CpusetV2(group(t, '/c', { 'cpuset.cpus.effective': '0-7\n' })).cpus(), undefined)
})
