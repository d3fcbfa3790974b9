import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  findRootfs,
  MAX_CONFIG_BYTES,
  masksPaths,
  parseMasks,
  parseMasksBelow,
  parseRoot,
  readMasksBelow,
} from '../../src/oci/bundle.ts'

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
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ root: { path: '/a\0b' } }))
  t.throws(find, /root.path is "\/a\\u0000b"/)
  t.throws(() => findRootfs({ ...state, bundle: undefined, root: undefined }), /neither root nor/)
})

t.test('a config.json beyond the limit is not read', async t => {
  const bundle = mkdtempSync(join(tmpdir(), 'procveil-bundle-'))
  t.teardown(() => rmSync(bundle, { recursive: true }))
  const find = () => findRootfs({ ...state, bundle, root: undefined })
  const text = '{"root":{"path":"rootfs"}}'
  writeFileSync(join(bundle, 'config.json'), text.padEnd(MAX_CONFIG_BYTES))
  t.equal(find(), join(bundle, 'rootfs'))
  writeFileSync(join(bundle, 'config.json'), text.padEnd(MAX_CONFIG_BYTES + 1))
  t.throws(find, /it has 4194305 bytes, and at most 4194304 are read/)
})

t.test('a config.json without a root', async t => {
  for (const text of ['{}', 'null', '{"root":{"path":""}}', '{"root":{"path":5}}']) {
    t.throws(() => parseRoot(text), SyntaxError, text)
  }
})

t.test('masked and read-only paths', async t => {
  const masks = (linux: unknown) => parseMasks(JSON.stringify({ linux }))
  t.equal(masks(undefined), false)
  t.equal(masks({ maskedPaths: null, readonlyPaths: [] }), false)
  t.equal(masks({ maskedPaths: ['/proc/kcore'] }), true)
  t.equal(masks({ readonlyPaths: ['/proc/sys'] }), true)
  t.equal(masks({ maskedPaths: '/proc/kcore' }), true, 'what is not understood')
})

t.test('of a bundle that cannot be read all may be masked', async t => {
  t.equal(masksPaths({ bundle: undefined }), true)
  const bundle = mkdtempSync(join(tmpdir(), 'procveil-bundle-'))
  t.teardown(() => rmSync(bundle, { recursive: true }))
  t.equal(masksPaths({ bundle }), true)
  writeFileSync(join(bundle, 'config.json'), '{')
  t.equal(masksPaths({ bundle }), true)
  writeFileSync(join(bundle, 'config.json'), '{}')
  t.equal(masksPaths({ bundle }), false)
})

t.test('what is masked below our directories is known', async t => {
  const directories = ['sys/devices/system/cpu']
  const cpu = '/sys/devices/system/cpu'
  const of = (maskedPaths: unknown) =>
    parseMasksBelow(JSON.stringify({ linux: { maskedPaths } }), directories)
  t.strictSame(of([`${cpu}/cpu0/thermal_throttle`, '/proc/kcore', `${cpu}x`, cpu]), [
    'sys/devices/system/cpu/cpu0/thermal_throttle',
  ])
  t.strictSame(of([`${cpu}/../../x`, `${cpu}/a\0`, 7, 'sys/devices/system/cpu/cpu0']), [])
  for (const none of [undefined, null, 7, [], {}]) t.strictSame(of(none), [])
  t.strictSame(parseMasksBelow('{}', directories), [])
  t.strictSame(readMasksBelow({ bundle: undefined }, directories), [])
  t.strictSame(readMasksBelow({ bundle: '/nowhere' }, directories), [])
})
