import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findRootfs, parseRoot } from '../../src/oci/bundle.ts'

const state = { id: 'x', status: 'creating', pid: 42, annotations: {} }

t.test('the root of the state wins, relative to the bundle', async t => {
  t.equal(findRootfs({ ...state, bundle: '/b', root: '/r//oot' }), '/r/oot')
  t.equal(findRootfs({ ...state, bundle: '/b', root: 'rootfs' }), '/b/rootfs')
  t.throws(() => findRootfs({ ...state, bundle: undefined, root: 'rootfs' }), /names no bundle/)
})

t.test("else the bundle's config.json says it", async t => {
  const bundle = mkdtempSync(join(tmpdir(), 'procveil-bundle-'))
  t.teardown(() => rmSync(bundle, { recursive: true }))
  const find = () => findRootfs({ ...state, bundle, root: undefined })
  t.throws(find, /Cannot find the root file system of x in .*config.json/)
  writeFileSync(join(bundle, 'config.json'), '{"root":{"path":"rootfs"}}')
  t.equal(find(), join(bundle, 'rootfs'))
  writeFileSync(join(bundle, 'config.json'), '{"root":{}}')
  t.throws(find, /root.path/)
  t.throws(() => findRootfs({ ...state, bundle: undefined, root: undefined }), /neither root nor/)
})

t.test('a config.json without a root', async t => {
  for (const text of ['{}', 'null', '{"root":{"path":""}}', '{"root":{"path":5}}']) {
    t.throws(() => parseRoot(text), SyntaxError, text)
  }
})
