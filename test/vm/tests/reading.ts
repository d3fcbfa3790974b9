/** How a file is read makes no difference: what the kernel keeps of a FUSE file's size differs between its versions. */

import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import t from 'tap'
import { needs } from '../../e2e/requirements.ts'
import { site } from '../../e2e/site.ts'
import { launch, MiB } from '../container.ts'

/** Their text stays the same while nothing is changed. */
const STEADY = ['proc/cpuinfo', 'proc/partitions', 'proc/swaps', 'sys/devices/system/cpu/online']

t.test('reads of any size give the same text', needs('runc'), async t => {
  const box = await launch(t, site(t), 'runc', 'read', { memoryBytes: 64 * MiB })
  const root = `/proc/${await box.pid()}/root`
  for (const file of STEADY) {
    const path = `${root}/${file}`
    const whole = readFileSync(path)
    t.ok(whole.length > 0, file)
    t.equal(statSync(path).size, 0, 'stat(2) shows size 0, as in procfs')
    for (const size of [1, 7, 4096]) t.same(readBy(path, size), whole, `${size} bytes at a time`)
    const inside = (command: string) => box.sh(`${command} /${file}`)
    t.equal(Number.parseInt(await inside('wc -c'), 10), whole.length)
    t.equal(await inside('cat'), whole.toString(), 'by sendfile(2)')
    t.equal(await inside('tail -n 1'), lastLine(whole.toString()))
  }
})

function readBy(path: string, size: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = Buffer.alloc(size)
      const count = readSync(fd, chunk)
      if (count === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, count))
      fstatSync(fd)
    }
  } finally {
    closeSync(fd)
  }
}

const lastLine = (text: string) => text.slice(text.lastIndexOf('\n', text.length - 2) + 1)
