import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Adjustment } from '../../src/nri/answers.ts'
import type { Container, CreateContainer, Pod } from '../../src/nri/messages.ts'
import { ANSWER_MS, Plugin } from '../../src/nri/plugin.ts'
import { type CreateAnswer, frames, GoReader, methodOf, ttrpc } from '../kit/nri-runtime.ts'

const carry = methodOf('Envelope', 'Carry')
const SERVICE = 'nri.pkg.api.v1alpha1.Plugin'

const ADJUSTMENT: Adjustment = {
  annotations: new Map(),
  hook: { path: '/hook', args: ['hook'], env: [], timeout: 20, stages: ['createRuntime'] },
}

/** A plugin, and the runtime's end of its connection. */
function made(adjust: (request: CreateContainer) => Promise<Adjustment | undefined>) {
  const failures: unknown[] = []
  const late: string[] = []
  const known: [readonly Pod[], readonly Container[]][] = []
  const responses = new Map<number, { code: number; payload: Buffer }>()
  const sent: Buffer[] = []
  const reader = new GoReader()
  const plugin = new Plugin({
    send: bytes => {
      sent.push(bytes)
      if (bytes.readUInt32BE(0) !== 1) return
      for (let at = 0; at < bytes.length; ) {
        const size = bytes.readUInt32BE(at + 4)
        for (const { stream, data } of reader.add(bytes.subarray(at + 8, at + 8 + size))) {
          const { status, payload } = carry.responseDeserialize(data) as {
            status: { code: number } | null
            payload: Buffer
          }
          responses.set(stream, { code: status?.code ?? 0, payload })
        }
        at += 8 + size
      }
    },
    configured: () => {},
    adjust,
    late: ({ container }) => late.push(container.id),
    synchronized: (...all) => known.push(all),
    failed: error => failures.push(error),
  })
  const ask = (stream: number, method: string, payload: Buffer, service = SERVICE) =>
    plugin.receive(
      frames(1, ttrpc(stream, 1, carry.requestSerialize({ service, method, payload }))),
    )
  const configure = (runtime_name: string) =>
    ask(1, 'Configure', methodOf('Plugin', 'Configure').requestSerialize({ runtime_name }))
  return { plugin, ask, configure, sent, responses, failures, known, late }
}

const adjustOf = (payload: Buffer | undefined) =>
  (
    methodOf('Plugin', 'CreateContainer').responseDeserialize(
      payload ?? Buffer.alloc(0),
    ) as CreateAnswer
  ).adjust

t.test('it registers by a request of its own', async t => {
  const { plugin, sent } = made(async () => undefined)
  plugin.register()
  const text = (value: string) => Buffer.from(value).toString('hex')
  t.equal(
    Buffer.concat(sent).toString('hex'),
    [
      // Connection 2, 72 bytes.
      ...['00000002', '00000048'],
      // 62 bytes, stream 1, a request without flags.
      ...['0000003e', '00000001', '01', '00'],
      ...['0a1c', text('nri.pkg.api.v1alpha1.Runtime'), '120e', text('RegisterPlugin')],
      ...['1a0e', '0a08', text('procveil'), '1202', text('50')],
    ].join(''),
  )
})

t.test('it understands what the Go code sends, in whatever pieces', async t => {
  const file = new URL('../../fixtures/nri/containerd-1.7.24.hex', import.meta.url)
  const hex = readFileSync(file, 'utf8').replaceAll(/^#.*$|\s/gm, '')
  const bytes = Buffer.from(hex, 'hex')
  for (const size of [1, 7, 100, bytes.length]) {
    const requests: CreateContainer[] = []
    const { plugin, responses, failures, known } = made(async request => {
      requests.push(request)
      return ADJUSTMENT
    })
    plugin.register()
    for (let at = 0; at < bytes.length; at += size) plugin.receive(bytes.subarray(at, at + size))
    await new Promise(resolve => setTimeout(resolve, 5))
    t.strictSame([...responses.keys()], [1, 3, 5, 7, 9], `pieces of ${size}`)
    t.strictSame(failures, [])
    t.match(known, [[[{ id: 'p0', namespace: 'default' }], [{ id: 'cp0', isRunning: true }]]])
    t.equal(requests.length, 3)
    t.match(requests[0], {
      pod: {
        id: 'pod',
        annotations: new Map([
          ['io.procveil.swap', 'off'],
          ['io.procveil.enabled', 'on'],
        ]),
      },
      container: { id: 'ctr', podId: 'pod', hooks: [['/bin/true', 'true']] },
    })
    t.match(adjustOf(responses.get(9)?.payload)?.hooks?.create_runtime, [{ path: '/hook' }])
  }
})

t.test('a runtime that refuses it is left', async t => {
  const { plugin } = made(async () => undefined)
  const refusal = carry.responseSerialize({ status: { code: 3, message: 'invalid plugin name' } })
  t.throws(() => plugin.receive(frames(2, ttrpc(1, 2, refusal))), /answered 3, invalid plugin name/)
})

t.test('an answer that takes too long is an empty one, and then there is no other', async t => {
  let finish: (adjustment: Adjustment) => void = () => {}
  const decided = new Promise<Adjustment>(resolve => {
    finish = resolve
  })
  const alone = { annotations: new Map(), hook: undefined }
  const { ask, configure, responses, failures, late } = made(async ({ container }) => {
    const adjustment = await decided
    if (container.id === 'unwanted') return undefined
    return container.id === 'hooked' ? alone : adjustment
  })
  configure('containerd')
  const create = (stream: number, id: string) =>
    ask(
      stream,
      'CreateContainer',
      methodOf('Plugin', 'CreateContainer').requestSerialize({ container: { id } }),
    )
  const startMs = performance.now()
  create(3, 'x')
  create(5, 'unwanted')
  create(7, 'hooked')
  while (!responses.has(3)) await new Promise(resolve => setTimeout(resolve, 5))
  const tookMs = performance.now() - startMs
  t.ok(tookMs >= ANSWER_MS - 10 && tookMs < 500 + 400, `${tookMs} ms`)
  t.strictSame(responses.get(3), { code: 0, payload: Buffer.alloc(0) })
  t.match(failures.map(String), [/Cannot say within 400 ms/])
  await new Promise(resolve => setTimeout(resolve, 20))
  responses.clear()
  t.strictSame(late, [])
  finish(ADJUSTMENT)
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(responses.size, 0)
  t.strictSame(late, ['x'], 'that which would have had the hook is to be attached')
  create(9, 'in-time')
  await new Promise(resolve => setTimeout(resolve, 20))
  t.strictSame(late, ['x'])
})

t.test('whatever goes wrong, nothing is answered with an error', async t => {
  const { ask, configure, responses, failures } = made(async () => {
    throw new Error('Cannot do it')
  })
  configure('containerd')
  ask(3, 'CreateContainer', Buffer.alloc(0))
  ask(5, 'CreateContainer', Buffer.from('0aff', 'hex'))
  ask(7, 'Synchronize', Buffer.from('0aff', 'hex'))
  ask(9, 'Configure', Buffer.from('12ff', 'hex'))
  ask(11, 'StateChange', Buffer.from('junk'))
  ask(13, 'Shutdown', Buffer.alloc(0))
  ask(15, 'Unheard', Buffer.alloc(0))
  await new Promise(resolve => setTimeout(resolve, 20))
  t.strictSame(
    [...responses.keys()].sort((a, b) => a - b),
    [1, 3, 5, 7, 9, 11, 13, 15],
  )
  for (const { code } of responses.values()) t.equal(code, 0)
  t.equal(responses.get(9)?.payload.toString('hex'), '1008', 'not every event, even then')
  t.equal(failures.length, 4)
  ask(17, 'Anything', Buffer.alloc(0), 'another.Service')
  t.equal(responses.get(17)?.code, 12, 'a service that is none of ours is unimplemented')
})

t.test('to docker it says nothing', async t => {
  let asked = 0
  const { ask, configure, responses, known } = made(async () => {
    asked++
    return ADJUSTMENT
  })
  for (const [at, name] of ['docker', 'other', ''].entries()) {
    configure(name)
    ask(100 + at, 'CreateContainer', Buffer.alloc(0))
    ask(200 + at, 'Synchronize', Buffer.alloc(0))
    await new Promise(resolve => setTimeout(resolve, 5))
    t.strictSame(responses.get(100 + at), { code: 0, payload: Buffer.alloc(0) }, name)
  }
  t.strictSame([asked, known.length], [0, 0])
  configure('containerd')
  ask(301, 'CreateContainer', Buffer.alloc(0))
  await new Promise(resolve => setTimeout(resolve, 5))
  t.match(adjustOf(responses.get(301)?.payload)?.hooks?.create_runtime, [{ path: '/hook' }])
})

t.test('what runs already may come in parts', async t => {
  const { ask, configure, responses, known } = made(async () => undefined)
  const { requestSerialize, responseDeserialize } = methodOf('Plugin', 'Synchronize')
  configure('containerd')
  const tell = (stream: number, id: string, more: boolean) =>
    ask(stream, 'Synchronize', requestSerialize({ pods: [{ id }], containers: [{ id }], more }))
  tell(3, 'a', true)
  tell(5, 'b', true)
  t.match(responseDeserialize(responses.get(3)?.payload ?? Buffer.alloc(0)), { more: true })
  t.equal(known.length, 0)
  tell(7, 'c', false)
  t.match(responseDeserialize(responses.get(7)?.payload ?? Buffer.alloc(0)), { more: false })
  t.strictSame(
    known[0]?.map(all => all.map(({ id }) => id)),
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
  )
  tell(9, 'd', false)
  t.equal(known[1]?.[0].length, 1, 'and once more, from the beginning')
})

t.test('what is too long to be read is answered all the same', async t => {
  const { plugin, responses, failures } = made(async () => ADJUSTMENT)
  const message = ttrpc(3, 1, Buffer.alloc(5 * 2 ** 20))
  plugin.receive(frames(1, message))
  t.strictSame(responses.get(3), { code: 0, payload: Buffer.alloc(0) })
  t.match(failures.map(String), [/it is too long/])
})

t.test('what cannot be understood ends the connection', async t => {
  const { plugin } = made(async () => undefined)
  t.throws(
    () => plugin.receive(frames(1, ttrpc(1, 1, Buffer.from('0aff', 'hex')))),
    /^Cannot parse/,
  )
  t.throws(() => plugin.receive(Buffer.alloc(8, 0xff)), /Cannot read a frame/)
  const other = made(async () => undefined)
  other.plugin.receive(frames(9, Buffer.from('of a connection that nobody knows')))
  other.plugin.receive(frames(1, ttrpc(1, 3, Buffer.from('a type that nobody knows'))))
  t.equal(other.sent.length, 0)
})
