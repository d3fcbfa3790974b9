import t, { type Test } from 'tap'
import { Group } from '../../../src/cgroup/group.ts'
import type { Memory } from '../../../src/cgroup/memory.ts'
import { MemoryV2 } from '../../../src/cgroup/v2/memory.ts'
import { machine } from '../../machines/machine.ts'
import { type Files, namedCounts, place } from '../../machines/memory-view.ts'
import { SAMPLE_MEMORY_STAT } from '../../machines/sample-host.ts'

function read(t: Test, files: Files): Memory | undefined {
  const host = machine(t, place('sys/fs/cgroup', files))
  return new MemoryV2(
    new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/pod/ctr/app'),
  ).read()
}

t.test('a cgroup without limits is its own level', async t => {
  const memory = read(t, {
    '/pod/ctr/app/memory.max': 'max\n',
    '/pod/ctr/app/memory.current': '314572800\n',
    '/pod/ctr/app/memory.stat': SAMPLE_MEMORY_STAT,
  })
  t.equal(memory?.limitBytes, Number.POSITIVE_INFINITY)
  t.equal(memory?.own?.usageBytes, 314572800)
  t.equal(memory?.level, memory?.own)
  t.equal(memory?.swap, undefined)
  t.equal(memory?.slabinfo(), undefined)
})

t.test('every count that v2 has', async t => {
  const memory = read(t, {
    '/pod/ctr/app/memory.current': '314572800\n',
    '/pod/ctr/app/memory.stat': SAMPLE_MEMORY_STAT,
  })
  t.same(namedCounts(memory?.own), {
    anonBytes: 104857600,
    fileBytes: 157286400,
    swapCachedBytes: 0,
    activeAnonBytes: 25165824,
    inactiveAnonBytes: 90177536,
    activeFileBytes: 52428800,
    inactiveFileBytes: 94371840,
    unevictableBytes: 0,
    shmemBytes: 10485760,
    mappedBytes: 41943040,
    dirtyBytes: 4096,
    writebackBytes: 8192,
    slabReclaimableBytes: 20971520,
    slabUnreclaimableBytes: 10485760,
    kernelStackBytes: 1048576,
    pageTablesBytes: 2097152,
    secPageTablesBytes: 0,
    percpuBytes: 524288,
    vmallocBytes: 0,
    zswapBytes: 0,
    zswappedBytes: 0,
    anonHugeBytes: 2097152,
    shmemHugeBytes: 0,
    fileHugeBytes: 0,
    memoryLimitBytes: 0,
    memswLimitBytes: 0,
    swapBytes: 0,
  })
})

t.test('the smallest limit on the way up counts, across levels without the file', async t => {
  const memory = read(t, {
    '/memory.max': '1\n',
    '/pod/memory.max': '1000\n',
    '/pod/memory.current': '700\n',
    '/pod/ctr/app/memory.max': '2000\n',
    '/pod/ctr/app/memory.current': '100\n',
  })
  t.match(memory, { limitBytes: 1000, own: { usageBytes: 100 }, level: { usageBytes: 700 } })
})

t.test('the lowest of equal limits is the level', async t => {
  const memory = read(t, {
    '/pod/memory.max': '1000\n',
    '/pod/memory.current': '700\n',
    '/pod/ctr/memory.max': '1000\n',
    '/pod/ctr/memory.current': '500\n',
    '/pod/ctr/app/memory.max': 'max\n',
    '/pod/ctr/app/memory.current': '100\n',
  })
  t.equal(memory?.level.usageBytes, 500)
})

t.test('a level that cannot be read is taken for the own one', async t => {
  const memory = read(t, { '/pod/memory.max': '1000\n', '/pod/ctr/app/memory.current': '100\n' })
  t.match(memory, { limitBytes: 1000, own: { usageBytes: 100 }, level: { usageBytes: 100 } })
})

t.test('where memory is not counted, the limiting ancestor speaks for the container', async t => {
  const files: Files = {
    '/pod/ctr/memory.max': '1000\n',
    '/pod/ctr/memory.current': '500\n',
    '/pod/ctr/memory.swap.max': '300\n',
    '/pod/ctr/memory.swap.current': '40\n',
  }
  t.match(read(t, files), {
    limitBytes: 1000,
    own: undefined,
    level: { usageBytes: 500 },
    swap: { limitBytes: 300, usedBytes: 40, levelUsedBytes: undefined },
  })
  t.equal(read(t, { ...files, '/pod/ctr/memory.max': 'max\n' }), undefined, 'no other does')
  t.equal(read(t, { ...files, '/pod/memory.max': '900\n' }), undefined, 'nor the limiting one')
})

t.test('where no cgroup counts memory there is nothing to tell', async t => {
  t.equal(read(t, {}), undefined)
  t.equal(read(t, { '/memory.current': '4096\n' }), undefined, 'the root is everybody')
})

t.test('the smallest swap limit on the way up, and who shares it', async t => {
  const memory = read(t, {
    '/pod/memory.swap.max': '1000\n',
    '/pod/memory.swap.current': '600\n',
    '/pod/ctr/app/memory.current': '100\n',
    '/pod/ctr/app/memory.swap.max': '2000\n',
    '/pod/ctr/app/memory.swap.current': '50\n',
  })
  t.same(memory?.swap, {
    limitBytes: 1000,
    memswLimitBytes: 1000,
    usedBytes: 50,
    levelUsedBytes: 600,
  })
})
