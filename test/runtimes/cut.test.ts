/** What is told of what was found at one place: it fits into one answer of a worker, whatever a container has there. */

import t from 'tap'
import { readOptions } from '../../src/oci/annotations.ts'
import type { Claim } from '../../src/runtimes/claim.ts'
import { cutClaim, MOST_CLAIMS, Room } from '../../src/runtimes/cut.ts'
import { findClaims } from '../../src/runtimes/running.ts'
import { MOST_LINE_BYTES } from '../../src/worker/messages.ts'
import { machine } from '../machines/machine.ts'
import { runcState } from './process.ts'

const SEARCH = [{ runtime: 'runc', roots: ['run/runc'] }]
const MiB = 2 ** 20

const CLAIM: Claim = {
  runtime: 'runc',
  id: 'box',
  pid: 42,
  startTicks: 9001,
  name: 'web',
  rootfs: '/box',
  annotations: {},
  ownerUid: 0,
}

const idsOf = (found: ReturnType<typeof findClaims>) =>
  found.flatMap(({ claims }) => claims.map(({ id }) => id))

t.test('annotations of megabytes take no place from others', async t => {
  const host = machine(t, {})
  for (let i = 0; i < 4; i++) {
    const id = `box-${i}`
    const labels = [`a=${'x'.repeat(3 * MiB)}`, 'io.procveil.swap=off']
    host.set({ [`run/runc/${id}/state.json`]: runcState(id, 42, 1, labels) })
  }
  const found = findClaims(host, SEARCH)
  t.strictSame(idsOf(found).sort(), ['box-0', 'box-1', 'box-2', 'box-3'])
  for (const { annotations } of found[0]?.claims ?? []) {
    t.strictSame(annotations, { 'io.procveil.swap': 'off' })
  }
})

t.test('what cannot be used is not told', async t => {
  const long = 'x'.repeat(MiB)
  const cut = cutClaim({
    ...CLAIM,
    runtime: long,
    name: long,
    rootfs: `/${long}`,
    cgroupName: long,
  })
  t.ok(JSON.stringify(cut).length < 2000)
  t.match(cut, { name: undefined, rootfs: undefined })
  t.equal(cut.cgroupName?.length, 256, 'longer than the name of any cgroup')
  t.strictSame(cutClaim(CLAIM), CLAIM)
})

t.test('an option that is too long is refused, and not taken for another one', async t => {
  const cgroup = `/a${'/b'.repeat(MiB)}`
  const many = Object.fromEntries(
    Array.from({ length: 5000 }, (_, i) => [`io.procveil.${'\0'.repeat(90)}${i}`, '']),
  )
  const annotations = { 'io.procveil.cgroup': cgroup, 'io.procveil.swap': long(), ...many }
  const cut = cutClaim({ ...CLAIM, annotations }).annotations
  t.ok(JSON.stringify(cut).length < 8192)
  t.notOk(cgroup.startsWith(cut['io.procveil.cgroup'] ?? cgroup))
  const refused: unknown[] = []
  t.strictSame(Object.keys(readOptions(cut, error => refused.push(error))), ['cgroup'])
  t.match(String(refused[0]), /Cannot use swap/)

  const cgroupOf = (length: number) => `/${'c'.repeat(length)}`
  const kept = cutClaim({ ...CLAIM, annotations: { 'io.procveil.cgroup': cgroupOf(1000) } })
  t.equal(kept.annotations['io.procveil.cgroup'], cgroupOf(1000))
})

const long = () => `off${' '.repeat(MiB)}`

t.test('a search has a bound, and what is beyond it is said', async t => {
  const host = machine(t, { 'run/isulad.sock': '' })
  const search = [{ runtime: 'isulad', roots: ['run/isulad'] }]
  const look = (count: number, searches = search) =>
    findClaims(host, searches, () =>
      Array.from({ length: count }, (_, i) => `box-${i} 42`).join('\n'),
    )
  const whole = { claims: { length: MOST_CLAIMS } }
  t.match(look(MOST_CLAIMS), [{ ...whole, isCut: undefined }])
  const cut = look(MOST_CLAIMS + 1, [...search, ...search])
  t.match(cut, [{ ...whole, isCut: true }])
  t.equal(cut.length, 1, 'nothing more is looked at')
})

t.test('the longest claims that there can be fit into an answer', async t => {
  const value = '\x01'.repeat(300)
  const annotations = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`io.procveil.${i}`, value]),
  )
  const claim = cutClaim({ ...CLAIM, annotations })
  const claims: Claim[] = []
  const room = new Room()
  while (room.take(claim)) claims.push(claim)
  const bytes = Buffer.byteLength(JSON.stringify({ result: [{ runtime: 'runc', claims }] }))
  t.ok(bytes < MOST_LINE_BYTES && bytes > 5 * MiB, `${bytes} bytes`)
})
