import { readFileSync } from 'node:fs'
import t from 'tap'
import { limitCpuinfoS390 } from '../../src/proc/cpuinfo-s390.ts'
import type { Options } from '../../src/proc/options.ts'

const HOST = readFileSync('fixtures/cpuinfo/s390x', 'utf8')

const limit = (text: string, effective: number[], topology: Options['topology'] = 'openeuler') =>
  limitCpuinfoS390(
    text,
    { effective, count: effective.length, quotaCpus: effective.length },
    { topology },
  )

const SUMMARY = `vendor_id       : IBM/S390
# processors    : 2
bogomips per cpu: 3033.00
max thread id   : 0
features\t: esan3 zarch stfle msa ldisp eimm dfp edat etf3eh highgprs te vx sie${' '}
facilities      : 0 1 2 3 4 6 7 8 9 10 12 14 16 17 18 19 20
cache0          : level=1 type=Data scope=Private size=128K line_size=256 associativity=8
cache1          : level=1 type=Instruction scope=Private size=96K line_size=256 associativity=6
processor 0: version = 00,  identification = 01D5D8,  machine = 2964
processor 1: version = 00,  identification = 02D5D8,  machine = 2964
`
const block = (cpu: number, topology: string, real: number, siblings: string) => `
cpu number      : ${cpu}
${topology}
book id         : 2
drawer id       : 4
dedicated       : 0
address         : ${real}
${siblings}
version         : 00
identification  : 0${real}D5D8
machine         : 2964
cpu MHz dynamic : 5000
cpu MHz static  : 5000
`

t.test('the summary and the blocks have the visible CPUs, each a socket', async t => {
  const siblings = 'siblings        : 1\ncpu cores       : 1'
  t.equal(
    limit(HOST, [1, 2]),
    SUMMARY +
      block(0, 'physical id     : 0\ncore id         : 0', 1, siblings) +
      block(1, 'physical id     : 1\ncore id         : 0', 2, siblings),
  )
})

t.test('all CPUs may be cores of one socket', async t => {
  const siblings = 'siblings        : 2\ncpu cores       : 2'
  t.equal(
    limit(HOST, [1, 2], 'single-socket'),
    SUMMARY +
      block(0, 'physical id     : 0\ncore id         : 0', 1, siblings) +
      block(1, 'physical id     : 0\ncore id         : 1', 2, siblings),
  )
})

t.test("with the host's topology only the numbering changes", async t => {
  const text = limit(HOST, [2], 'host')
  t.match(text, '# processors    : 1\n')
  t.match(text, 'cpu number      : 0\nphysical id     : 1\ncore id         : 2\n')
})

t.test('an old kernel has the summary only', async t => {
  const summary = HOST.slice(0, HOST.indexOf('\n\n') + 1)
  t.equal(limit(summary, [1, 2]), SUMMARY)
  t.equal(limit(summary.trimEnd(), [1, 2]), SUMMARY)
})

t.test("text that names none of the container's CPUs is the host's", async t => {
  t.equal(limit(HOST, [9]), HOST)
  t.equal(limit('', [0]), '')
})
