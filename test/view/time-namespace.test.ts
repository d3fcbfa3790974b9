import t from 'tap'
import { parseBootOffset, TimeNamespace } from '../../src/view/time-namespace.ts'
import { machine } from '../machines/machine.ts'

t.test('the offset to the boot time clock', async t => {
  t.equal(
    parseBootOffset('monotonic           0         0\nboottime       86400 500000000\n'),
    86_400_500_000,
  )
  t.equal(parseBootOffset('monotonic  1 0\nboottime   -5  0\n'), -5_000_000)
  t.equal(parseBootOffset(''), 0)
})

t.test('of another process with the same pid it says nothing', async t => {
  const host = machine(t, {
    'proc/42/stat': `42 (sh) S ${'0 '.repeat(18)}700 0`,
    'proc/42/timens_offsets': 'monotonic 0 0\nboottime 60 0\n',
  })
  t.equal(new TimeNamespace(host, { pid: 42, startTicks: 700 }).bootOffsetUsec(), 60e6)
  t.equal(new TimeNamespace(host, { pid: 42, startTicks: 701 }).bootOffsetUsec(), 0)
  t.equal(new TimeNamespace(host, { pid: undefined, startTicks: undefined }).bootOffsetUsec(), 0)
})
