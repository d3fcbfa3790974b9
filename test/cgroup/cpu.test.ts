import t from 'tap'
import { makeQuota, smallerQuota } from '../../src/cgroup/cpu.ts'
import { findCount, parseCount, parseNanoseconds } from '../../src/cgroup/numbers.ts'

t.test('the quota that gives less time wins, the first of equal ones', async t => {
  const one = { quotaUsec: 100_000, periodUsec: 100_000 }
  const alsoOne = { quotaUsec: 50_000, periodUsec: 50_000 }
  const half = { quotaUsec: 500_000, periodUsec: 1_000_000 }
  t.equal(smallerQuota(one, half), half)
  t.equal(smallerQuota(half, one), half)
  t.equal(smallerQuota(one, alsoOne), one)
  t.equal(smallerQuota(undefined, one), one)
  t.equal(smallerQuota(one, undefined), one)
  t.equal(smallerQuota(undefined, undefined), undefined)
})

t.test('quotas are compared beyond what a double can tell apart', async t => {
  const a = { quotaUsec: 2 ** 53 - 1, periodUsec: 999_999 }
  const b = { quotaUsec: 2 ** 53 - 2, periodUsec: 999_999 }
  t.equal(smallerQuota(a, b), b)
})

t.test('no time, or time in no period, is no quota', async t => {
  t.equal(makeQuota(0, 100_000), undefined)
  t.equal(makeQuota(100_000, 0), undefined)
  t.equal(makeQuota(undefined, 100_000), undefined)
  t.equal(makeQuota(100_000, undefined), undefined)
})

t.test('a count is a whole number and nothing else', async t => {
  t.equal(parseCount('42\n'), 42)
  t.equal(parseCount(' 42 '), 42)
  for (const text of ['', '-1', 'max', '1.5', '1e3', '0x10', '1 2', '9'.repeat(30), undefined]) {
    t.equal(parseCount(text), undefined, String(text))
  }
})

t.test('a week of 128 CPUs in nanoseconds is exact to a microsecond', async t => {
  t.equal(parseNanoseconds('130000000000123456\n'), 130_000_000_000_123)
})

t.test('a key is matched whole', async t => {
  t.equal(findCount('user_usec_total 1\nxuser_usec 2\nuser_usec 3\n', 'user_usec'), 3)
  t.equal(findCount('user_usec 3', 'user_usec'), 3)
  t.equal(findCount('user_usec\n', 'user_usec'), undefined)
  t.equal(findCount('user_usec much\n', 'user_usec'), undefined)
  t.equal(findCount('', 'user_usec'), undefined)
})
