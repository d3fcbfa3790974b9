/** What a runtime says by NRI, and the rules: understood, skipped or refused, and never answered with an error. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { findMissed, refusalOf } from '../../src/nri/adjust.ts'
import { parseConfigure, parseCreateContainer, parseSynchronize } from '../../src/nri/messages.ts'
import { Plugin } from '../../src/nri/plugin.ts'
import { parseRules, renderRules } from '../../src/nri/rules.ts'
import { OK, parseResponse, UNIMPLEMENTED } from '../../src/nri/ttrpc.ts'
import { GoReader, methodOf } from '../kit/nri-runtime.ts'
import { ensure } from '../property/runs.ts'
import { attempt, fuzzer, requireOurs } from './fuzzer.ts'
import { anyJson, damaged } from './mutations.ts'

const file = new URL('../../fixtures/nri/containerd-1.7.24.hex', import.meta.url)
const RECORDED = Buffer.from(readFileSync(file, 'utf8').replaceAll(/^#.*$|\s/gm, ''), 'hex')
/** To a runtime that is not known, all is answered at once. */
const STREAM = Buffer.from(
  RECORDED.toString('latin1').replace('containerd', 'containerX'),
  'latin1',
)

const pod = { id: 'p', namespace: 'n', annotations: { 'io.procveil.swap': 'off' } }
const hooks = { prestart: [{ path: '/a/procveil', args: ['x'], timeout: { value: 1 } }] }
const container = { id: 'c', pod_sandbox_id: 'p', state: 3, annotations: { a: 'b' }, hooks }
const PAYLOADS = [
  methodOf('Plugin', 'CreateContainer').requestSerialize({ pod, container }),
  methodOf('Plugin', 'Synchronize').requestSerialize({
    pods: [pod],
    containers: [container],
    more: true,
  }),
  methodOf('Plugin', 'Configure').requestSerialize({ runtime_name: 'x', request_timeout: 2000 }),
]
const RULES = [{ pods: 'all', exceptNamespaces: ['a', 'b'], socket: '/run/x.sock' }, {}]

const values = fc.record({
  stream: damaged([STREAM]),
  size: fc.integer({ min: 1, max: 5000 }),
  payload: damaged(PAYLOADS),
  rules: anyJson(RULES).map(bytes => bytes.toString()),
})

export const FUZZER = fuzzer(values, ({ stream, size, payload, rules }) => {
  checkStream(stream, size)
  attempt(() => parseConfigure(payload))
  const created = attempt(() => parseCreateContainer(payload))
  const known = attempt(() => parseSynchronize(payload))
  const parsed = attempt(() => parseRules(rules, 'a file'))
  if (parsed === undefined) return
  ensure(
    renderRules(parseRules(renderRules(parsed), 'x')) === renderRules(parsed),
    () => 'other rules',
  )
  if (created !== undefined) refusalOf(created, parsed)
  if (known !== undefined) findMissed(known.pods, known.containers, parsed)
})

function checkStream(stream: Buffer, size: number): void {
  const reader = new GoReader()
  const plugin = new Plugin({
    send: bytes => {
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32BE(at + 4)
        for (const { data } of reader.add(bytes.subarray(at + 8, at + 8 + length))) {
          ensure(
            [OK, UNIMPLEMENTED].includes(parseResponse(data).code),
            () => 'an error is answered',
          )
        }
        at += 8 + length
      }
    },
    configured: () => {},
    adjust: async () => undefined,
    late: () => {},
    synchronized: () => {},
    failed: requireOurs,
  })
  attempt(() => {
    for (let at = 0; at < stream.length; at += size) plugin.receive(stream.subarray(at, at + size))
  })
}
