import t from 'tap'
import { Memory, parseBytes, parseLimit } from '../../src/cgroup/memory.ts'
import { bytesOf } from '../../src/host/directory-file.ts'

t.test('what limits nothing is Infinity', async t => {
  for (const text of ['max\n', undefined, '', '-1\n', '9007199254740992\n', '1.5', '1e3', 'none']) {
    t.equal(parseLimit(bytesOf(text)), Number.POSITIVE_INFINITY, String(text))
  }
  t.equal(parseLimit(bytesOf('0\n')), 0)
  t.equal(parseLimit(bytesOf(' 4096 ')), 4096)
  t.equal(parseLimit(bytesOf('9007199254740991')), 2 ** 53 - 1)
})

t.test('no machine has 2^53 bytes', async t => {
  t.equal(parseBytes(bytesOf('9007199254740991\n')), 2 ** 53 - 1)
  t.equal(parseBytes(bytesOf('9007199254740992\n')), undefined)
  t.equal(parseBytes(bytesOf('18446744073709551612\n')), undefined)
})

t.test('a copy of an answer stays what it is', async t => {
  const read = new Memory()
  const kept = new Memory()
  const tell = ({ limitBytes, own, level, swap }: Memory) => ({
    limitBytes,
    own: own && [own.usageBytes, own.stat[0]],
    level: [level.usageBytes, level.stat[0]],
    swap,
  })
  const set = (usage: Memory['level'], usageBytes: number, anonBytes: number) => {
    usage.usageBytes = usageBytes
    usage.stat[0] = anonBytes
    return usage
  }
  read.limitBytes = 100
  read.own = set(read.ownUsage, 1, 2)
  read.level = set(read.levelUsage, 3, 4)
  read.swap = { limitBytes: 5, memswLimitBytes: 6, usedBytes: 7, levelUsedBytes: 8 }
  const before = tell(read)
  kept.copyFrom(read)
  t.same(tell(kept), before)
  read.limitBytes = 200
  read.own = undefined
  set(read.ownUsage, 11, 12)
  set(read.levelUsage, 13, 14)
  read.swap = undefined
  t.same(tell(kept), before)
  t.same(tell(kept.copyFrom(read)), tell(read))
  read.own = read.ownUsage
  read.level = read.ownUsage
  kept.copyFrom(read)
  t.equal(kept.level, kept.own, 'the own one stays the level')
  t.same(tell(kept), tell(read))
})
