import t, { type Test } from 'tap'
import { Group } from '../../../src/cgroup/group.ts'
import type { Memory } from '../../../src/cgroup/memory.ts'
import { MemoryV1 } from '../../../src/cgroup/v1/memory.ts'
import { machine } from '../../machines/machine.ts'
import { type Files, namedCounts, place } from '../../machines/memory-view.ts'

const UNLIMITED = '9223372036854771712\n'

function read(t: Test, files: Files): Memory | undefined {
  const host = machine(t, place('sys/fs/cgroup/memory', files))
  return new MemoryV1(
    new Group(host, { version: 1, mountPoint: 'sys/fs/cgroup/memory' }, '/pod/ctr'),
  ).read()
}

t.test('counts are those of the whole tree', async t => {
  const memory = read(t, {
    '/pod/ctr/memory.limit_in_bytes': UNLIMITED,
    '/pod/ctr/memory.usage_in_bytes': '166490112\n',
    '/pod/ctr/memory.kmem.usage_in_bytes': '2621440\n',
    '/pod/ctr/memory.stat': `cache 1
rss 2
hierarchical_memory_limit 9223372036854771712
total_cache 10
total_rss 20
total_rss_huge 30
total_shmem 40
total_mapped_file 50
total_dirty 60
total_writeback 70
total_swap 80
total_swapcached 90
total_inactive_anon 100
total_active_anon 110
total_inactive_file 120
total_active_file 130
total_unevictable 140
`,
  })
  t.match(memory, { limitBytes: Number.POSITIVE_INFINITY, own: { usageBytes: 166490112 } })
  t.match(namedCounts(memory?.own), {
    fileBytes: 10,
    anonBytes: 20,
    anonHugeBytes: 30,
    shmemBytes: 40,
    mappedBytes: 50,
    dirtyBytes: 60,
    writebackBytes: 70,
    swapCachedBytes: 90,
    inactiveAnonBytes: 100,
    activeAnonBytes: 110,
    inactiveFileBytes: 120,
    activeFileBytes: 130,
    unevictableBytes: 140,
    slabReclaimableBytes: 0,
    slabUnreclaimableBytes: 2621440,
    kernelStackBytes: 0,
  })
})

t.test('the smallest limit on the way up counts', async t => {
  const memory = read(t, {
    '/pod/memory.limit_in_bytes': '1000\n',
    '/pod/memory.usage_in_bytes': '700\n',
    '/pod/ctr/memory.limit_in_bytes': '2000\n',
    '/pod/ctr/memory.usage_in_bytes': '100\n',
  })
  t.match(memory, { limitBytes: 1000, own: { usageBytes: 100 }, level: { usageBytes: 700 } })
})

t.test('an ancestor without use_hierarchy does not limit', async t => {
  const files: Files = {
    '/pod/memory.limit_in_bytes': '1000\n',
    '/pod/memory.usage_in_bytes': '700\n',
    '/pod/memory.use_hierarchy': '0\n',
    '/pod/ctr/memory.limit_in_bytes': '2000\n',
    '/pod/ctr/memory.usage_in_bytes': '100\n',
    '/pod/ctr/memory.use_hierarchy': '0\n',
    '/pod/ctr/memory.stat': 'hierarchical_memory_limit 2000\n',
  }
  t.match(read(t, files), { limitBytes: 2000, level: { usageBytes: 100 } })
  t.match(read(t, { ...files, '/pod/memory.use_hierarchy': '1\n' }), {
    limitBytes: 1000,
    level: { usageBytes: 700 },
  })
})

t.test('the kernel may know of a limit that no file here shows', async t => {
  const memory = read(t, {
    '/pod/ctr/memory.limit_in_bytes': '2000\n',
    '/pod/ctr/memory.usage_in_bytes': '100\n',
    '/pod/ctr/memory.memsw.usage_in_bytes': '150\n',
    '/pod/ctr/memory.stat':
      'hierarchical_memory_limit 1500\nhierarchical_memsw_limit 1800\ntotal_swap 50\n',
  })
  t.match(memory, { limitBytes: 1500, level: { usageBytes: 100 } })
  t.same(memory?.swap, {
    limitBytes: 300,
    memswLimitBytes: 1800,
    usedBytes: 50,
    levelUsedBytes: undefined,
  })
})

t.test('a limit on both with none on memory leaves no swap beside the memory', async t => {
  const memory = read(t, {
    '/pod/ctr/memory.limit_in_bytes': UNLIMITED,
    '/pod/ctr/memory.usage_in_bytes': '100\n',
    '/pod/ctr/memory.memsw.usage_in_bytes': '100\n',
    '/pod/ctr/memory.memsw.limit_in_bytes': '2000\n',
  })
  t.match(memory?.swap, { limitBytes: 0, memswLimitBytes: 2000 })
})

t.test('the list of caches is read when asked for', async t => {
  const memory = read(t, {
    '/pod/ctr/memory.usage_in_bytes': '100\n',
    '/pod/ctr/memory.kmem.slabinfo': 'slabinfo - version: 2.1\n',
  })
  t.equal(memory?.slabinfo(), 'slabinfo - version: 2.1\n')
})
