import t from 'tap'
import {
  checkId,
  MAX_SLOT,
  parseContainer,
  renderContainer,
} from '../../src/container/container.ts'

const container = {
  id: 'box-1.2_3',
  pid: 42,
  startTicks: 986258,
  slot: MAX_SLOT,
  cgroups: { memory: '/a:b/box', '': '/' },
  rootfs: '/b/rootfs',
  rootMount: 64,
  options: { cpuQuota: 'off' as const, files: ['proc/meminfo' as const] },
}

t.test('a registration survives a round trip', async t => {
  t.strictSame(parseContainer(renderContainer(container)), container)
})

t.test('a registration of an earlier version has no options', async t => {
  const { options, ...earlier } = container
  t.strictSame(parseContainer(JSON.stringify(earlier)), { ...earlier, options: {} })
})

t.test('a damaged registration names what is wrong', async t => {
  const damaged = (changes: object) => () =>
    parseContainer(JSON.stringify({ ...container, ...changes }))
  t.throws(damaged({ pid: -1 }), /pid is -1/)
  t.throws(damaged({ slot: 2 ** 45 }), /slot is/)
  t.throws(damaged({ startTicks: '1' }), /startTicks is "1"/)
  t.throws(damaged({ cgroups: null }), /cgroups is null/)
  t.throws(damaged({ cgroups: { cpu: 1 } }), /cgroups.cpu is 1/)
  t.throws(damaged({ rootfs: undefined }), /rootfs is missing/)
  t.throws(damaged({ options: 7 }), /options is 7/)
  t.throws(damaged({ options: { swap: 'maybe' } }), /swap "maybe" in a registration/)
  t.throws(() => parseContainer('7'), SyntaxError)
  t.throws(() => parseContainer('{"id":'), SyntaxError)
})

t.test('an id is a file name and nothing more', async t => {
  for (const id of ['a', '0', 'k8s_POD.x-1', 'a'.repeat(255)]) t.equal(checkId(id), id)
  for (const id of [
    '',
    '.',
    '..',
    '-a',
    '_a',
    'a/b',
    'a b',
    'a\n',
    'é',
    'a\0',
    'a'.repeat(256),
    7,
    {},
  ]) {
    t.throws(() => checkId(id), RangeError, String(id))
  }
})
