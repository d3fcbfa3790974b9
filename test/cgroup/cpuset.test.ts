import fc from 'fast-check'
import t from 'tap'
import { findCpus, parseCpuList, renderCpuList } from '../../src/cgroup/cpuset.ts'

t.test('ranges and single numbers become CPU numbers', async t => {
  t.same(parseCpuList('0-3,8\n'), [0, 1, 2, 3, 8])
  t.same(parseCpuList('3,7-9'), [3, 7, 8, 9])
  t.same(parseCpuList('0\n'), [0])
  t.same(parseCpuList('0-1 \n'), [0, 1])
})

t.test('an empty list has no CPUs', async t => {
  t.same(parseCpuList('\n'), [])
  t.same(parseCpuList(''), [])
})

t.test('a list as a person writes it is brought into order', async t => {
  t.same(parseCpuList('7,0-2,1-3,7'), [0, 1, 2, 3, 7])
})

t.test('what is no list is refused', async t => {
  for (const text of ['x', '0-', '-1', '3-1', '0,,1', '0-3:2', '1 2', '0x1', '0-4294967295', ',']) {
    t.throws(() => parseCpuList(text), SyntaxError, text)
  }
  t.throws(() => parseCpuList('x'), { message: 'Cannot parse CPU list "x"' })
})

t.test('a file that is absent, empty or damaged names no CPUs', async t => {
  t.equal(findCpus(undefined), undefined)
  t.equal(findCpus('\n'), undefined)
  t.equal(findCpus('none\n'), undefined)
  t.same(findCpus('2-3\n'), [2, 3])
})

t.test('neighbours are written as a range', async t => {
  t.equal(renderCpuList([0, 1, 2, 3, 8]), '0-3,8')
  t.equal(renderCpuList([5]), '5')
  t.equal(renderCpuList([0, 1]), '0-1')
  t.equal(renderCpuList([]), '')
})

t.test('a list survives a round trip', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(600)), numbers => {
      const cpus = numbers.sort((a, b) => a - b)
      return JSON.stringify(parseCpuList(renderCpuList(cpus))) === JSON.stringify(cpus)
    }),
  )
})
