import t from 'tap'
import { IN_CREATE, IN_Q_OVERFLOW, parseInotifyEvents } from '../../src/host/inotify.ts'

/** wd, mask, cookie, len, and the name with its padding. */
const event = (wd: number, mask: number, name: string, length: number) => {
  const bytes = Buffer.alloc(16 + length)
  bytes.writeInt32LE(wd, 0)
  bytes.writeUInt32LE(mask, 4)
  bytes.writeUInt32LE(length, 12)
  bytes.write(name, 16)
  return bytes
}

t.test('events of one read', async t => {
  const bytes = [event(1, IN_CREATE, 'box', 16), event(-1, IN_Q_OVERFLOW, '', 0)]
  t.strictSame(parseInotifyEvents(Buffer.concat([...bytes, event(2, IN_CREATE, 'ü', 16)])), [
    { wd: 1, mask: IN_CREATE, name: 'box' },
    { wd: -1, mask: IN_Q_OVERFLOW, name: '' },
    { wd: 2, mask: IN_CREATE, name: 'ü' },
  ])
})

t.test('what is cut off is left out', async t => {
  t.strictSame(parseInotifyEvents(Buffer.alloc(15)), [])
  t.strictSame(parseInotifyEvents(new Uint8Array(0)), [])
})
