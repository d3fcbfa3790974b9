/** Pseudo-files that stay open, on a kernel of the test's own. */

import { constants } from 'node:os'
import t from 'tap'
import { loneFile, textOf } from '../../src/host/directory-file.ts'
import { MOST_BYTES } from '../../src/host/host.ts'
import { KeptHost } from '../../src/host/kept-host.ts'
import { mostOpenFiles } from '../../src/host/open-files.ts'

const { EMFILE, ENODEV, ENOENT } = constants.errno

/** Files by path; a descriptor holds the file that had the path when it was opened. */
class Kernel {
  readonly files = new Map<string, { text: string; isRemoved: boolean }>()
  readonly open = new Map<number, { text: string; isRemoved: boolean }>()
  /** What each call asked for. */
  readonly calls: string[] = []
  mostOpen = 10_000
  /** Bytes that a read gives at most. */
  part = Number.POSITIVE_INFINITY
  #next = 3
  usec = 0

  host(mostOpen = 512): KeptHost {
    const clock = { monotonicUsec: () => this.usec, boottimeUsec: () => this.usec }
    return new KeptHost(
      '/',
      clock,
      {
        open: path => {
          this.calls.push(`open ${path}`)
          const file = this.files.get(path)
          if (file === undefined) return -ENOENT
          if (this.open.size >= this.mostOpen) return -EMFILE
          this.open.set(this.#next, file)
          return this.#next++
        },
        pread: (fd, buffer, at, offset) => {
          const file = this.open.get(fd)
          if (file === undefined) throw new Error(`Cannot read descriptor ${fd}: it is not open`)
          this.calls.push(`pread ${offset}`)
          if (file.isRemoved) return -ENODEV
          const bytes = Buffer.from(file.text).subarray(offset)
          return bytes.copy(buffer, at, 0, Math.min(bytes.length, buffer.length - at, this.part))
        },
        directories: (path, most) => {
          this.calls.push(`directories ${path} ${most}`)
          return ['a', 'b', 'c'].slice(0, most)
        },
        close: fd => {
          if (!this.open.delete(fd))
            throw new Error(`Cannot close descriptor ${fd}: it is not open`)
        },
      },
      mostOpen,
    )
  }

  write(path: string, text: string): void {
    const known = this.files.get(path)
    if (known === undefined) this.files.set(path, { text, isRemoved: false })
    else known.text = text
  }

  remove(path: string): void {
    const known = this.files.get(path)
    if (known !== undefined) known.isRemoved = true
    this.files.delete(path)
  }
}

function fileOf(host: KeptHost, path: string, isListing: boolean, mostBytes = MOST_BYTES) {
  const file = loneFile(path, isListing, mostBytes)
  return { tryRead: () => textOf(host.readFile(file)), close: () => host.closeFile(file) }
}

t.test('a file is opened once and read anew each time', async t => {
  const kernel = new Kernel()
  kernel.write('/sys/memory.current', '1\n')
  const file = fileOf(kernel.host(), 'sys/memory.current', false)
  t.equal(file.tryRead(), '1\n')
  kernel.write('/sys/memory.current', '22\n')
  t.equal(file.tryRead(), '22\n')
  t.strictSame(kernel.calls, ['open /sys/memory.current', 'pread 0', 'pread 0'])
})

t.test('a file that is removed and made again', async t => {
  const kernel = new Kernel()
  kernel.write('/f', 'old')
  const file = fileOf(kernel.host(), 'f', false)
  file.tryRead()
  kernel.remove('/f')
  t.equal(file.tryRead(), undefined)
  t.equal(kernel.open.size, 0, 'nothing stays open')
  kernel.write('/f', 'new')
  t.equal(file.tryRead(), 'new')
  kernel.remove('/f')
  kernel.write('/f', 'newer')
  t.equal(file.tryRead(), 'newer', 'without a miss in between')
  t.equal(kernel.open.size, 1)
})

t.test('a listing comes in parts', async t => {
  const kernel = new Kernel()
  const text = Array.from({ length: 30_000 }, (_, i) => `${i}\n`).join('')
  kernel.write('/tasks', text)
  kernel.part = 4096
  const file = fileOf(kernel.host(), 'tasks', true)
  t.equal(file.tryRead(), text)
  kernel.write('/tasks', '')
  t.equal(file.tryRead(), '')
})

t.test('a file that has more text than room is read from the beginning again', async t => {
  const kernel = new Kernel()
  const text = 'x'.repeat(150_000)
  kernel.write('/big', text)
  const file = fileOf(kernel.host(), 'big', false)
  t.equal(file.tryRead(), text)
  t.strictSame(kernel.calls, ['open /big', 'pread 0', 'pread 0', 'pread 0'])
})

t.test('nothing is read beyond the limit', async t => {
  const kernel = new Kernel()
  const host = kernel.host()
  kernel.write('/f', 'x'.repeat(10))
  t.equal(fileOf(host, 'f', false, 10).tryRead(), 'x'.repeat(10))
  t.equal(fileOf(host, 'f', false, 9).tryRead(), undefined)
  t.equal(kernel.open.size, 1, 'a file that is too large is closed')
  kernel.part = 3
  kernel.write('/tasks', '10\n2\n30\n')
  t.equal(fileOf(host, 'tasks', true, 8).tryRead(), '10\n2\n30\n')
  t.equal(fileOf(host, 'tasks', true, 7).tryRead(), '10\n2\n', 'whole lines of a listing')
  kernel.calls.length = 0
  kernel.part = 4096
  kernel.write('/tasks', '1\n'.repeat(1e6))
  t.equal(fileOf(host, 'tasks', true, 8192).tryRead()?.length, 8192)
  t.strictSame(kernel.calls, ['open /tasks', 'pread 0', 'pread 4096', 'pread 8192'])
})

t.test('a large buffer is given back', async t => {
  const kernel = new Kernel()
  const host = kernel.host()
  kernel.write('/big', 'x'.repeat(5e6))
  const file = fileOf(host, 'big', false)
  t.equal(file.tryRead()?.length, 5e6)
  kernel.write('/big', 'x'.repeat(100_000))
  kernel.calls.length = 0
  file.tryRead()
  t.equal(kernel.calls.length, 2, 'it grows anew, from 64 KiB')
})

t.test('closed, it is opened again at the next reading', async t => {
  const kernel = new Kernel()
  kernel.write('/f', 'text')
  const file = fileOf(kernel.host(), 'f', false)
  file.tryRead()
  file.close()
  file.close()
  t.equal(kernel.open.size, 0)
  t.equal(file.tryRead(), 'text')
})

t.test('out of descriptors, all are closed for the one that is needed', async t => {
  const kernel = new Kernel()
  kernel.mostOpen = 3
  const host = kernel.host()
  const files = ['a', 'b', 'c', 'd', 'e'].map(name => {
    kernel.write(`/${name}`, name)
    return fileOf(host, name, false)
  })
  for (const pass of [1, 2]) {
    t.equal(files.map(file => file.tryRead()).join(''), 'abcde', `pass ${pass}`)
  }
  t.ok(kernel.open.size <= 3)
})

t.test(
  'a bounded number stays open, and files that are read in turn do not drive each other out',
  async t => {
    const kernel = new Kernel()
    const host = kernel.host(100)
    const files = Array.from({ length: 300 }, (_, i) => {
      kernel.write(`/${i}`, String(i))
      return fileOf(host, String(i), false)
    })
    const pass = () => files.map((file, i) => file.tryRead() === String(i)).includes(false)
    for (let i = 0; i < 3; i++) t.notOk(pass())
    t.equal(kernel.open.size, 100)
    kernel.calls.length = 0
    t.notOk(pass())
    const opened = kernel.calls.filter(call => call.startsWith('open'))
    t.equal(opened.length, 200, 'the others stay open')
  },
)

t.test('a file that nobody reads any more gives its place', async t => {
  const kernel = new Kernel()
  const host = kernel.host(10)
  const open = (from: number) =>
    Array.from({ length: 10 }, (_, i) => {
      kernel.write(`/${from + i}`, 'x')
      return fileOf(host, String(from + i), false)
    })
  for (const file of open(0)) file.tryRead()
  const later = open(10)
  for (let pass = 0; pass < 50; pass++) for (const file of later) file.tryRead()
  kernel.calls.length = 0
  for (const file of later) file.tryRead()
  t.notOk(kernel.calls.some(call => call.startsWith('open')))
  t.equal(kernel.open.size, 10)
})

t.test('how many may be open', async t => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} 524288               files     \n`
  t.equal(mostOpenFiles(limits('20000')), 19_744)
  t.equal(mostOpenFiles(limits('1048576')), 65_536)
  t.equal(mostOpenFiles(limits('unlimited')), 65_536)
  t.equal(mostOpenFiles(limits('100')), 1)
  t.equal(mostOpenFiles(''), 65_536)
})

t.test('host files are read at most once in 5 ms', async t => {
  const kernel = new Kernel()
  const host = kernel.host()
  kernel.write('/proc/stat', 'before')
  kernel.write('/proc/meminfo', 'before')
  t.equal(host.sample('proc/stat'), 'before')
  kernel.write('/proc/stat', 'after')
  kernel.usec = 4999
  t.equal(host.sample('proc/stat'), 'before')
  t.equal(host.sample('proc/meminfo'), 'before', 'each at its own time')
  kernel.write('/proc/meminfo', 'after')
  kernel.usec = 5000
  t.equal(host.sample('proc/stat'), 'after')
  t.equal(host.sample('proc/meminfo'), 'before')
})

t.test('what is not there is the error of the system', async t => {
  const host = new Kernel().host()
  t.throws(() => host.sample('nowhere/at/all'), { code: 'ENOENT' })
  t.equal(fileOf(host, 'nowhere/at/all', false).tryRead(), undefined)
})
