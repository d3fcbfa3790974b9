import t from 'tap'
import { FrameReader, renderFrames } from '../../src/nri/mux.ts'
import { GoReader, ttrpc } from '../kit/nri-runtime.ts'

t.test('a frame is the connection, the length and the payload', async t => {
  const frame = '00000002 00000003 616263'.replaceAll(' ', '')
  t.equal(renderFrames(2, Buffer.from('abc')).toString('hex'), frame)
})

t.test('what is longer than the buffer of a runtime is cut', async t => {
  for (const size of [0, 10, 4086, 4087, 8192, 100_000, 4 * 2 ** 20]) {
    const message = ttrpc(1, 2, Buffer.alloc(size, 'x'))
    const reader = new GoReader()
    const messages = framesOf(renderFrames(1, message)).flatMap(frame => reader.add(frame))
    t.equal(messages.length, 1)
    t.equal(messages[0]?.data.length, size)
  }
  const whole = ttrpc(1, 2, Buffer.alloc(5000))
  t.throws(() => new GoReader().add(whole), /ENOMEM/, 'else it would be refused')
})

t.test('frames are read in whatever pieces they come', async t => {
  const all = Buffer.concat([
    renderFrames(1, Buffer.from('one')),
    renderFrames(7, Buffer.from('seven')),
    Buffer.from('0000000100000000', 'hex'),
    renderFrames(2, Buffer.from('two')),
    renderFrames(1, Buffer.from(' more')),
  ])
  for (const size of [1, 2, 3, 7, 8, 9, 11, all.length]) {
    const read: Record<number, string> = {}
    const reader = new FrameReader()
    for (let at = 0; at < all.length; at += size) {
      reader.add(all.subarray(at, at + size), (connection, bytes) => {
        read[connection] = (read[connection] ?? '') + bytes
      })
    }
    t.strictSame(read, { 1: 'one more', 2: 'two', 7: 'seven' }, `pieces of ${size}`)
  }
})

t.test('a frame of 16 MiB is read, and none that is longer', async t => {
  const most = 2 ** 24
  const header = (size: number) => {
    const bytes = Buffer.from('0000000100000000', 'hex')
    bytes.writeUInt32BE(size, 4)
    return bytes
  }
  let read = 0
  const reader = new FrameReader()
  const count = (_: number, bytes: Buffer) => {
    read += bytes.length
  }
  reader.add(Buffer.concat([header(most), Buffer.alloc(most)]), count)
  t.equal(read, most)
  t.throws(
    () => reader.add(header(most + 1), count),
    /^Cannot read a frame of NRI: .* 16777217 bytes/,
  )
  t.throws(() => new FrameReader().add(Buffer.from('GET / HTTP/1.1'), count), /Cannot read a frame/)
})

function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4)
    frames.push(bytes.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return frames
}
