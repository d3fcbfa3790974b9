import t, { type Test } from 'tap'
import type { CpuRows, CpuUsage } from '../../../src/cgroup/cpu.ts'
import { Group } from '../../../src/cgroup/group.ts'
import { CpuUsageV1, parsePerCpu, parseUsageAll } from '../../../src/cgroup/v1/cpuacct.ts'
import type { Bytes } from '../../../src/host/directory-file.ts'
import { machine } from '../../machines/machine.ts'

function reader(t: Test, files: Record<string, string>, possible?: string): CpuUsageV1 {
  const below = Object.entries(files).map(([file, text]) => [
    `sys/fs/cgroup/cpuacct/ctr/cpuacct.${file}`,
    text,
  ])
  const host = machine(t, Object.fromEntries(below))
  if (possible !== undefined) host.set({ 'sys/devices/system/cpu/possible': possible })
  return new CpuUsageV1(
    new Group(host, { version: 1, mountPoint: 'sys/fs/cgroup/cpuacct' }, '/ctr'),
    host,
  )
}

const rowsOf = (rows: CpuRows | undefined) =>
  rows && Array.from({ length: rows.count }, (_, i) => [...rows.numbers.subarray(3 * i, 3 * i + 3)])
const parse = (text: string) => rowsOf(parseUsageAll(toBytes(text)))
const toBytes = (text: string): Bytes => ({ buffer: Buffer.from(text), length: text.length })

t.test('usage_all has CPU numbers, user and system time in nanoseconds', async t => {
  t.strictSame(parse('cpu user system\n0 5000000 1000000\n7 2000999 0\n'), [
    [0, 5000, 1000],
    [7, 2000, 0],
  ])
  t.strictSame(parse('cpu user system\n0 999 9223372036854775807'), [
    [0, 0, Math.floor(2 ** 63 / 1000)],
  ])
  t.strictSame(parse('cpu user system more\n0 1000 2000 3000\n1 1000 0 5\n'), [
    [0, 1, 2],
    [1, 1, 0],
  ])
})

t.test('what is no usage_all is not parsed', async t => {
  for (const text of [
    ...['', 'cpu user system\n', 'cpu user\n0 1 1\n', '0 1 1\n', 'cpu user system\n0 x 1\n'],
    ...['cpu user system\n0 1\n1 2 3\n', 'cpu user system\n0 1 1\n\n', 'cpu user system\n0  1 1\n'],
    ...['cpu user system\n0 1 -1\n', 'cpu user system\n0 1 1x01\n', 'cpu user system\n0 1 x001\n'],
    ...[
      'cpu user system\n0 1 100000000000000000000\n',
      'cpu user system\n0',
      'cpu user system\n0 1 ',
    ],
  ]) {
    t.equal(parse(text), undefined, JSON.stringify(text))
  }
})

t.test('a list of nanoseconds ends with a blank', async t => {
  t.same(parsePerCpu('195253947235 235460400506 \n'), [195_253_947, 235_460_400])
  t.equal(parsePerCpu('\n'), undefined)
  t.equal(parsePerCpu('1 x 2'), undefined)
})

t.test('usage_all says most and goes first', async t => {
  const usage = reader(t, {
    usage_all: 'cpu user system\n0 3000000 1000000\n1 4000000 2000000\n',
    usage: '99000000\n',
    usage_percpu: '50000000 49000000 \n',
  }).usage()
  t.match(usage, { userUsec: 7000, niceUsec: 0, systemUsec: 3000 })
  t.same(rowsOf(usage?.perCpu)?.[1], [1, 4000, 2000])
})

t.test('without it user and system time per CPU come from two files', async t => {
  const usage = reader(t, {
    usage_percpu_user: '3000000 4000000 \n',
    usage_percpu_sys: '1000000 2000000 \n',
    usage_percpu: '50000000 49000000 \n',
  }).usage()
  t.match(usage, { userUsec: 7000, systemUsec: 3000 })
  t.same(rowsOf(usage?.perCpu)?.[0], [0, 3000, 1000])
})

t.test('an old kernel does not tell user from system per CPU: the ticks do', async t => {
  const usage = reader(t, {
    usage_percpu: '8000000 4000000 \n',
    stat: 'user 30\nsystem 10\n',
  }).usage()
  t.match(usage, { userUsec: 9000, systemUsec: 3000 })
  t.same(rowsOf(usage?.perCpu)?.[0], [0, 6000, 2000])
})

t.test('the last resort is the total', async t => {
  const usage = reader(t, { usage: '10000000\n', stat: 'user 1\nsystem 3\n' }).usage()
  t.same(usage, { userUsec: 2500, niceUsec: 0, systemUsec: 7500, perCpu: undefined })
})

t.test('time that no tick has seen is user time', async t => {
  const files = { usage: '3000000\n', stat: 'user 0\nsystem 0\n' }
  t.match(reader(t, files).usage(), { userUsec: 3000, systemUsec: 0 })
  t.match(reader(t, { usage: '3000000\n' }).usage(), { userUsec: 3000, systemUsec: 0 })
})

t.test('files without CPU numbers count the possible CPUs', async t => {
  const files = { usage_percpu_user: '1000 2000 3000 \n', usage_percpu_sys: '0 0 0 \n' }
  const cpus = (usage?: CpuUsage) => rowsOf(usage?.perCpu)?.map(([cpu]) => cpu)
  t.same(cpus(reader(t, files, '0,4,8\n').usage()), [0, 4, 8])
  t.same(cpus(reader(t, files).usage()), [0, 1, 2])
})

t.test('a damaged file is passed over', async t => {
  const usage = reader(t, { usage_all: 'cpu user system\n0 -1 0\n', usage: '3000\n' }).usage()
  t.match(usage, { userUsec: 3, perCpu: undefined })
  t.equal(reader(t, { usage: '-3\n' }).usage(), undefined)
  t.equal(reader(t, {}).usage(), undefined)
})

t.test('what 128 CPUs use in a week is exact', async t => {
  const rows = Array.from({ length: 128 }, (_, i) => `${i} 1015625000000000 1000000`).join('\n')
  const usage = reader(t, { usage_all: `cpu user system\n${rows}\n` }).usage()
  t.equal(usage?.userUsec, 130_000_000_000_000)
  t.equal(usage?.systemUsec, 128_000)
})
