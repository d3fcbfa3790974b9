import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findRootfs, parseRoot } from '../../src/oci/bundle.ts'
import { parseState } from '../../src/oci/state.ts'
import { MAX_STATE_BYTES } from '../../src/oci/state-size.ts'

const state = (changes: object) =>
  JSON.stringify({
    ociVersion: '1.0.2',
    id: 'x',
    status: 'creating',
    pid: 42,
    bundle: '/b',
    ...changes,
  })

t.test('what runc writes', async t => {
  t.strictSame(parseState(state({ annotations: { a: 'b' } })), {
    id: 'x',
    status: 'creating',
    pid: 42,
    bundle: '/b',
    root: undefined,
    annotations: { a: 'b' },
  })
  t.strictSame(parseState(state({ annotations: { a: 1, b: 'c' } })).annotations, { b: 'c' })
  t.strictSame(parseState(state({ annotations: null })).annotations, {})
})

t.test('what crun and iSulad add: the root', async t => {
  t.equal(parseState(state({ root: 'rootfs' })).root, 'rootfs')
  t.equal(parseState(state({ bundle: undefined, bundlePath: '/old' })).bundle, '/old')
})

t.test('a stopped container has no pid, whatever the state says', async t => {
  t.equal(parseState('{"id":"x","status":"stopped"}').pid, undefined)
  t.equal(parseState(state({ status: 'stopped', pid: 0 })).pid, undefined)
})

t.test('an error says what was found', async t => {
  t.throws(() => parseState(' \n'), /stdin is empty/)
  t.throws(() => parseState('not json'), /no JSON but "not json"/)
  t.throws(() => parseState('null'), /no JSON object/)
  t.throws(() => parseState('[]'), /no JSON object/)
  t.throws(() => parseState(state({ id: undefined })), /container id missing/)
  t.throws(() => parseState(state({ id: '../../etc' })), /container id "..\/..\/etc"/)
  t.throws(() => parseState(state({ id: '' })), RangeError)
  t.throws(() => parseState(state({ id: 'x'.repeat(256) })), RangeError)
  for (const pid of [0, 1, -5, 1.5, '42', null, 2 ** 31]) {
    t.throws(() => parseState(state({ pid })), /pid is /, String(pid))
  }
  t.throws(() => parseState(state({ bundle: 5 })), /bundle is no text/)
  t.throws(() => parseState(state({ root: 'a\0b' })), /root is no text/)
  t.throws(() => parseState('x'.repeat(MAX_STATE_BYTES + 1)), /more than 1048576 bytes/)
})

t.test('what each runtime wrote is understood', async t => {
  const fixtures = fileURLToPath(new URL('../../fixtures/oci/', import.meta.url))
  const names = readdirSync(fixtures).filter(name => name.endsWith('.json'))
  t.ok(names.length >= 11)
  for (const name of names) {
    const text = readFileSync(fixtures + name, 'utf8')
    if (name.endsWith('-config.json')) {
      t.equal(parseRoot(text), 'rootfs', name)
      continue
    }
    const parsed = parseState(text)
    t.match(parsed.id, /^(d(runc|crun)|[0-9a-f]{12,64})$/, name)
    t.equal(
      parsed.pid !== undefined,
      name.endsWith('-create.json'),
      `${name}: a pid until it stops`,
    )
    if (parsed.root !== undefined) t.match(findRootfs(parsed), /^\/.*(rootfs|merged)$/, name)
  }
})
