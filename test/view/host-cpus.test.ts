import t from 'tap'
import { readHostCpus, readOnlineCpus } from '../../src/view/host-cpus.ts'
import { machine } from '../machines/machine.ts'

const ONLINE = 'sys/devices/system/cpu/online'
const STAT = 'cpu  3 0 0 0\ncpu0 1 0 0 0\ncpu10 0 0 0 0\ncpu2 2 0 0 0\nintr 1\n'

t.test("sysfs names the host's CPUs", async t => {
  const host = machine(t, { [ONLINE]: '0-1,4\n', 'proc/stat': STAT })
  t.same(readOnlineCpus(host), [0, 1, 4])
  host.set({ [ONLINE]: '0\n' })
  t.same(readOnlineCpus(host), [0])
})

t.test('where it does not, the lines of /proc/stat do, in ascending order', async t => {
  const host = machine(t, { 'proc/stat': STAT })
  t.same(readOnlineCpus(host), [0, 2, 10])
  t.equal(readHostCpus(host).get(2)?.userUsec, 20_000)
})

t.test('a host that has neither is an error', async t => {
  t.throws(() => readOnlineCpus(machine(t, {})), { code: 'ENOENT' })
})
