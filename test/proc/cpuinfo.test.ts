import { readFileSync } from 'node:fs'
import t from 'tap'
import { limitCpuinfo, parseCpuinfo, renderCpuinfo } from '../../src/proc/cpuinfo.ts'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import type { View } from '../../src/proc/view.ts'

const fixture = (name: string) => readFileSync(`fixtures/cpuinfo/${name}`, 'utf8')

type Topology = Options['topology']

function limit(
  text: string,
  effective: number[],
  topology: Topology = 'openeuler',
  count?: number,
) {
  const visible = count ?? effective.length
  return limitCpuinfo(text, { effective, count: visible, quotaCpus: visible }, { topology })
}

/** Values of a key, in order. */
const values = (text: string, key: string) =>
  [...text.matchAll(new RegExp(`^${key}\\s*: (.*)$`, 'gm'))].map(([, value]) => value)

for (const name of ['x86_64', 'aarch64', 'arm', 'riscv64', 'ppc64le', 'loongarch64', 's390x']) {
  t.test(`${name}: all CPUs with the host's topology are the host's bytes`, async t => {
    const host = fixture(name)
    t.equal(limit(host, [0, 1, 2, 3], 'host'), host)
  })
}

t.test('x86_64: each CPU is a socket', async t => {
  const host = fixture('x86_64')
  const text = limit(host, [0, 1])
  t.same(values(text, 'processor'), ['0', '1'])
  t.same(values(text, 'physical id'), ['0', '1'])
  t.same(values(text, 'siblings'), ['1', '1'])
  t.same(values(text, 'core id'), ['0', '0'])
  t.same(values(text, 'cpu cores'), ['1', '1'])
  t.same(values(text, 'apicid'), ['0', '1'])
  t.same(values(text, 'initial apicid'), ['0', '1'])
  t.match(text, 'processor\t: 1\n')
  t.match(text, 'core id\t\t: 0\n')
  const changed = /^(physical id|siblings|core id|cpu cores|apicid|initial apicid)\t.*\n/gm
  t.equal(text.replace(changed, ''), host.replace(changed, ''), 'all else is kept')
})

t.test('x86_64: all CPUs are cores of one socket', async t => {
  const text = limit(fixture('x86_64'), [0, 1], 'single-socket')
  t.same(values(text, 'physical id'), ['0', '0'])
  t.same(values(text, 'siblings'), ['2', '2'])
  t.same(values(text, 'core id'), ['0', '1'])
  t.same(values(text, 'cpu cores'), ['2', '2'])
})

t.test('x86_64: one CPU under a quota is the first of the cpuset, with its blank line', async t => {
  const host = fixture('x86_64')
  const text = limit(host, [1, 0].sort(), 'openeuler', 1)
  t.same(values(text, 'processor'), ['0'])
  t.ok(text.endsWith('power management:\n\n'))
})

t.test('a big machine: the records of the effective CPUs, in their order', async t => {
  const host = Array.from({ length: 128 }, (_, i) => `processor\t: ${i}\nid\t: ${i}\n\n`).join('')
  const text = limit(host, [3, 7, 8, 9])
  t.equal(
    text,
    'processor\t: 0\nid\t: 3\n\nprocessor\t: 1\nid\t: 7\n\nprocessor\t: 2\nid\t: 8\n\nprocessor\t: 3\nid\t: 9\n\n',
  )
  t.same(values(limit(host, [3, 7, 8, 9], 'openeuler', 2), 'id'), ['3', '7'])
})

t.test('aarch64: a record comes from the real CPU, and nothing else comes', async t => {
  t.equal(
    limit(fixture('aarch64'), [2]),
    'processor\t: 0\nBogoMIPS\t: 200.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma dcpop asimddp asimdfhm\nCPU implementer\t: 0x48\nCPU architecture: 8\nCPU variant\t: 0x2\nCPU part\t: 0xd0b\nCPU revision\t: 0\n\n',
  )
})

t.test('arm: the machine stands after the records', async t => {
  const text = limit(fixture('arm'), [3])
  t.same(values(text, 'processor'), ['0'])
  t.ok(text.endsWith('\n\nHardware\t: BCM2835\nRevision\t: a02082\nSerial\t\t: 00000000765fc593\n'))
})

t.test('riscv64: the hart is the hardware thread', async t => {
  const text = limit(fixture('riscv64'), [1])
  t.match(text, /^processor\t: 0\nhart\t\t: 2\nisa\t\t: rv64/)
  t.same(values(text, 'hart'), ['2'])
})

t.test('ppc64le: the platform stands after the records', async t => {
  const text = limit(fixture('ppc64le'), [0, 2])
  t.same(values(text, 'processor'), ['0', '1'])
  t.match(text, '(pvr 004e 1202)\n\ntimebase\t: 512000000\nplatform\t: pSeries\n')
  t.ok(text.endsWith('MMU\t\t: Radix\n'))
})

t.test('loongarch64: the system stands before the records', async t => {
  const text = limit(fixture('loongarch64'), [2, 3])
  t.match(
    text,
    /^system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\npackage\t\t\t: 0\n/,
  )
  t.same(values(text, 'package'), ['0', '1'])
  t.same(values(text, 'core'), ['0', '0'])
  t.same(values(text, 'global_id'), ['0', '1'])
  const socket = limit(fixture('loongarch64'), [2, 3], 'single-socket')
  t.same(values(socket, 'package'), ['0', '0'])
  t.same(values(socket, 'core'), ['0', '1'])
})

t.test('a record without its blank line gets none', async t => {
  const host = 'processor\t: 0\nid\t: 0\nprocessor\t: 1\nid\t: 1'
  t.equal(limit(host, [0, 1]), host)
  t.equal(limit(host, [1]), 'processor\t: 0\nid\t: 1')
})

t.test('a CPU that went offline gives its place to the next', async t => {
  const host = 'processor\t: 0\nid\t: 0\n\nprocessor\t: 2\nid\t: 2\n\nprocessor\t: 3\nid\t: 3\n\n'
  t.same(values(limit(host, [0, 1, 2, 3], 'openeuler', 2), 'id'), ['0', '2'])
})

t.test("a file without records, or with none of the container's, is the host's", async t => {
  t.equal(
    limit('cpu\t\t: TI UltraSparc\nncpus active\t: 2\n', [0]),
    'cpu\t\t: TI UltraSparc\nncpus active\t: 2\n',
  )
  t.equal(limit('', [0]), '')
  t.equal(limit('processor\t: 0\n\n', [5]), 'processor\t: 0\n\n')
})

t.test('several blank lines stay with the record before them', async t => {
  const host = 'processor\t: 0\n\n\nprocessor\t: 1\n\n\nMachine\t: x\n\nprocessor\t: 2\nid\t: 2\n\n'
  const { header, records, trailer } = parseCpuinfo(host)
  t.equal(header, '')
  t.same(
    [...records.values()],
    ['processor\t: 0\n\n\n', 'processor\t: 1\n\n\n', 'processor\t: 2\nid\t: 2\n\n'],
  )
  t.equal(trailer, 'Machine\t: x\n\n')
})

function viewOf(
  host: string,
  effective: number[],
  topology: Topology = 'single-socket',
  count = effective.length,
): View {
  const cpus = { effective, count, quotaCpus: count / 2 }
  const view: Partial<View> = {
    options: { ...DEFAULT_OPTIONS, topology },
    hostFile: path => (path === 'proc/cpuinfo' ? host : ''),
    cpus: () => cpus,
  }
  return view as View
}

t.test('the view has the host file, the CPUs and the topology', async t => {
  t.same(values(`${renderCpuinfo(viewOf(fixture('x86_64'), [1]))}`, 'physical id'), ['0'])
})

/** CPUs that can be told apart, in one socket. */
const numbered = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => `processor\t: ${i}\nphysical id\t: 0\ncore id\t: ${i}\nid\t: ${i}\n\n`,
  ).join('')

t.test('containers that see the same CPUs share a text, and no others do', async t => {
  const host = numbered(4)
  const views = [
    viewOf(host, [0, 1]),
    viewOf(host, [0, 1], 'openeuler'),
    viewOf(host, [0, 1], 'single-socket', 1),
    viewOf(host, [1, 2]),
    viewOf(host, [0, 1]),
    viewOf(host.replaceAll('id\t: ', 'id\t: 9'), [0, 1]),
  ]
  const alone = views.map(view =>
    limitCpuinfo(view.hostFile('proc/cpuinfo'), view.cpus(), view.options),
  )
  for (let round = 0; round < 2; round++)
    t.strictSame(
      views.map(view => `${renderCpuinfo(view)}`),
      alone,
    )
  t.equal(new Set(alone).size, 5)
})

t.test('more kinds of containers than are remembered', async t => {
  const host = numbered(100)
  for (let round = 0; round < 2; round++) {
    for (let cpu = 0; cpu < 100; cpu++) {
      t.same(values(`${renderCpuinfo(viewOf(host, [cpu]))}`, 'id'), [`${cpu}`])
    }
  }
})

t.test(
  'the text of a kind that is not remembered is not kept for each of its containers',
  async t => {
    const host = numbered(100)
    const views = Array.from({ length: 100 }, (_, cpu) => viewOf(host, [cpu]))
    const texts = views.map(renderCpuinfo)
    const kept = views.filter((view, i) => renderCpuinfo(view) === texts[i])
    t.equal(kept.length, 64)
  },
)

t.test('a number that no CPU has begins no record', async t => {
  const text = `processor\t: 0\n\nprocessor\t: ${'9'.repeat(400)}\n\n`
  t.same([...parseCpuinfo(text).records.keys()], [0])
})
