import t from 'tap'
import { limitSlabinfo, renderSlabinfo } from '../../src/proc/slabinfo.ts'
import { type Files, viewOfHost, viewV1, viewV2 } from '../machines/memory-view.ts'
import { SAMPLE_SLABINFO } from '../machines/sample-host.ts'

const EMPTY = `${SAMPLE_SLABINFO.split('\n').slice(0, 2).join('\n')}\n`
const V1: Files = { '/pod/ctr/memory.usage_in_bytes': '4096\n' }
const V2: Files = { '/pod/ctr/memory.current': '4096\n' }

t.test('v2 keeps no list: two header lines are left', async t => {
  t.equal(renderSlabinfo(viewV2(t, V2)), EMPTY)
})

t.test('v1 gives the rows of kernels that have them', async t => {
  const own = `${EMPTY}dentry     81     82    192   21    1 : tunables    0    0    0 : slabdata   4   4   0\n`
  t.equal(renderSlabinfo(viewV1(t, { ...V1, '/pod/ctr/memory.kmem.slabinfo': own })), own)
  t.equal(renderSlabinfo(viewV1(t, { ...V1, '/pod/ctr/memory.kmem.slabinfo': own.trimEnd() })), own)
})

t.test('a v1 list without rows, or none, is two header lines', async t => {
  for (const text of ['', '\n', 'slabinfo - version: 2.1\n', EMPTY, EMPTY.trimEnd()]) {
    t.equal(renderSlabinfo(viewV1(t, { ...V1, '/pod/ctr/memory.kmem.slabinfo': text })), EMPTY)
  }
  t.equal(renderSlabinfo(viewV1(t, V1)), EMPTY)
})

t.test("the host's, without a memory cgroup or for an operator who wants it", async t => {
  t.equal(renderSlabinfo(viewOfHost(t)), SAMPLE_SLABINFO)
  t.equal(renderSlabinfo(viewV2(t, V2, { slabinfo: 'host' })), SAMPLE_SLABINFO)
})

t.test('a damaged version is two header lines', async t => {
  for (const version of ['2-.1', '2', '2.', '21', '2.1 ']) {
    t.equal(limitSlabinfo(SAMPLE_SLABINFO.replace('version: 2.1', `version: ${version}`)), EMPTY)
  }
  t.equal(limitSlabinfo(SAMPLE_SLABINFO), SAMPLE_SLABINFO, 'one that is whole is as it was')
})
