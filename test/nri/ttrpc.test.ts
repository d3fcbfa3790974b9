import t from 'tap'
import {
  MessageReader,
  parseRequest,
  parseResponse,
  renderMessage,
  renderRequest,
  renderResponse,
} from '../../src/nri/ttrpc.ts'
import { methodOf, ttrpc } from '../kit/nri-runtime.ts'

const carry = methodOf('Envelope', 'Carry')

t.test('a message is a header of 10 bytes and the data', async t => {
  const data = Buffer.from('abc')
  const bytes = renderMessage({ stream: 0x01020305, type: 2, data })
  t.equal(bytes.toString('hex'), '00000003' + '01020305' + '02' + '00' + '616263')
  t.strictSame(new MessageReader().add(bytes), [{ stream: 0x01020305, type: 2, data }])
})

t.test('messages are read in whatever pieces they come', async t => {
  const sizes = [0, 1, 9, 10, 11, 5000]
  const all = Buffer.concat(sizes.map((size, at) => ttrpc(2 * at + 1, 1, Buffer.alloc(size, at))))
  for (const piece of [1, 2, 9, 10, 11, 4096, all.length]) {
    const reader = new MessageReader()
    const read = []
    for (let at = 0; at < all.length; at += piece) {
      // Who reads from a socket reads into the same memory again.
      const memory = Buffer.from(all.subarray(at, at + piece))
      read.push(...reader.add(memory))
      memory.fill(0xff)
    }
    t.strictSame(
      read.map(({ stream, type, data }) => [stream, type, data?.length, data?.[0], data?.at(-1)]),
      sizes.map((size, at) => [
        2 * at + 1,
        1,
        size,
        ...(size > 0 ? [at, at] : [undefined, undefined]),
      ]),
      `pieces of ${piece}`,
    )
  }
})

t.test('4 MiB are the most', async t => {
  const reader = new MessageReader()
  t.equal(reader.add(ttrpc(1, 1, Buffer.alloc(4 * 2 ** 20)))[0]?.data?.length, 4 * 2 ** 20)
  const tooLong = Buffer.concat([
    ttrpc(3, 1, Buffer.alloc(4 * 2 ** 20 + 1)),
    ttrpc(5, 1, Buffer.from('next')),
  ])
  t.strictSame(
    reader.add(tooLong).map(({ stream, data }) => [stream, data?.toString()]),
    [
      [3, undefined],
      [5, 'next'],
    ],
    'a longer one is skipped',
  )
  const header = Buffer.from('04000001000000070100', 'hex')
  t.throws(() => reader.add(header), /^Cannot read a message of ttrpc: .* 67108865 bytes/)
})

t.test('requests and responses are those of the other implementation', async t => {
  const request = { service: 'a.B', method: 'C', payload: Buffer.from('payload') }
  const sent = carry.requestSerialize({
    ...request,
    timeout_nano: 2_000_000_000,
    metadata: [{ key: 'k', value: 'v' }],
  })
  t.match(parseRequest(sent), { ...request, payload: new Uint8Array(request.payload) })
  t.match(carry.requestDeserialize(renderRequest(request)), request)

  const success = { code: 0, message: '', payload: Buffer.from('payload') }
  t.match(carry.responseDeserialize(renderResponse(success)), {
    status: null,
    payload: success.payload,
  })
  const failure = { code: 12, message: 'unknown', payload: Buffer.alloc(0) }
  t.match(carry.responseDeserialize(renderResponse(failure)), {
    status: { code: 12, message: 'unknown' },
  })
  const { code, message } = parseResponse(
    carry.responseSerialize({ status: { code: 13, message: 'no' }, payload: Buffer.from('x') }),
  )
  t.strictSame([code, message], [13, 'no'])
  t.equal(parseResponse(Buffer.from('0a00', 'hex')).code, 0, 'the status OK, as Go writes it')
  t.equal(parseResponse(Buffer.alloc(0)).code, 0)
})

t.test('bytes that are no message are refused', async t => {
  for (const hex of ['0a', '0aff', '0aff01', 'ff', '00', '0b', '08', '1a05616263', '0f00']) {
    const bytes = Buffer.from(hex, 'hex')
    t.throws(() => parseRequest(bytes), /^Cannot parse a request of ttrpc: /, hex)
  }
})
