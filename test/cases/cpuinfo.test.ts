/** What a container's /proc/cpuinfo says on each architecture. */

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Options } from '../../src/proc/options.ts'
import { unified } from './tenant.ts'

const fixture = (name: string) => readFileSync(`fixtures/cpuinfo/${name}`, 'utf8')

/** A container with the CPUs `cpuset` of a host with 4, or of one with the CPUs that `text` lists. */
function seen(
  t: Test,
  text: string,
  cpuset: string,
  options: Partial<Options> = {},
  max = 'max 100000',
): string {
  const files = {
    'sys/devices/system/cpu/online': '0-3',
    '/ctr/cpuset.cpus.effective': cpuset,
    '/ctr/cpu.max': max,
  }
  const tenant = unified(t, files, { options })
  tenant.machine.set({ 'proc/cpuinfo': text })
  return tenant.read('cpuinfo')
}

const lines = (text: string, ...keys: string[]) =>
  text.split('\n').filter(line => keys.includes(line.split(':')[0]?.trim() ?? ''))

const X86_KEYS = ['processor', 'physical id', 'siblings', 'core id', 'cpu cores', 'apicid']

t.test('x86: each CPU is the only core of a socket', async t => {
  const host = fixture('x86_64')
  const text = seen(t, host, '0-1')
  const core = (i: number) => [
    `processor\t: ${i}`,
    `physical id\t: ${i}`,
    'siblings\t: 1',
    'core id\t\t: 0',
    'cpu cores\t: 1',
    `apicid\t\t: ${i}`,
  ]
  t.same(lines(text, ...X86_KEYS), [...core(0), ...core(1)])
  t.same(lines(text, 'initial apicid'), ['initial apicid\t: 0', 'initial apicid\t: 1'])
  const rest = (text: string) =>
    text.split('\n').filter(line => !lines(line, ...X86_KEYS, 'initial apicid').length)
  t.same(rest(text), rest(host), 'all else is untouched')
})

t.test('x86: each CPU is a core of the only socket, if an operator says so', async t => {
  const core = (i: number) => [
    `processor\t: ${i}`,
    'physical id\t: 0',
    'siblings\t: 2',
    `core id\t\t: ${i}`,
    'cpu cores\t: 2',
    `apicid\t\t: ${i}`,
  ]
  const text = seen(t, fixture('x86_64'), '0-1', { topology: 'single-socket' })
  t.same(lines(text, ...X86_KEYS), [...core(0), ...core(1)])
})

t.test('x86: an operator may keep the topology of the host', async t => {
  const text = seen(t, fixture('x86_64'), '1', { topology: 'host' })
  t.same(lines(text, ...X86_KEYS), [
    'processor\t: 0',
    'physical id\t: 0',
    'siblings\t: 2',
    'core id\t\t: 1',
    'cpu cores\t: 2',
    'apicid\t\t: 1',
  ])
})

t.test('x86: the topology counts the CPUs under a quota, not those of the cpuset', async t => {
  const text = seen(t, fixture('x86_64'), '0-1', { topology: 'single-socket' }, '50000 100000')
  t.same(lines(text, 'processor', 'siblings'), ['processor\t: 0', 'siblings\t: 1'])
  t.ok(text.endsWith('power management:\n\n'))
})

t.test('aarch64: a big core is shown by the features of that core', async t => {
  const [, , big = ''] = fixture('aarch64').split('\n\n')
  t.match(big, 'CPU part\t: 0xd0b')
  t.equal(
    seen(t, fixture('aarch64'), '2'),
    `${big.replace('processor\t: 2', 'processor\t: 0')}\n\n`,
  )
})

t.test('riscv64: the number of the hart is kept', async t => {
  const host =
    'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64\n\nprocessor\t: 1\nhart\t\t: 1\nisa\t\t: rv64\n\n'
  t.equal(seen(t, host, '1'), 'processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64\n\n')
  t.match(seen(t, fixture('riscv64'), '2'), /^processor\t: 0\nhart\t\t: 3\n/)
})

t.test('arm: what stands behind the records is kept', async t => {
  const text = seen(t, fixture('arm'), '3')
  t.same(lines(text, 'processor'), ['processor\t: 0'])
  t.ok(text.endsWith('\n\nHardware\t: BCM2835\nRevision\t: a02082\nSerial\t\t: 00000000765fc593\n'))
})

t.test('ppc64le: the machine stands behind the records', async t => {
  const host = fixture('ppc64le')
  const text = seen(t, host, '1,3')
  t.same(lines(text, 'processor'), ['processor\t: 0', 'processor\t: 1'])
  t.ok(text.endsWith(host.slice(host.indexOf('\n\ntimebase'))))
})

t.test('loongarch64: the system stands before the records, and cores are numbered', async t => {
  const keys = ['system type', 'processor', 'package', 'core', 'global_id']
  t.same(lines(seen(t, fixture('loongarch64'), '2-3'), ...keys), [
    'system type\t\t: generic-loongson-machine',
    'processor\t\t: 0',
    'package\t\t\t: 0',
    'core\t\t\t: 0',
    'global_id\t\t: 0',
    'processor\t\t: 1',
    'package\t\t\t: 1',
    'core\t\t\t: 0',
    'global_id\t\t: 1',
  ])
  const socket = seen(t, fixture('loongarch64'), '2-3', { topology: 'single-socket' })
  t.same(lines(socket, 'package', 'core'), [
    'package\t\t\t: 0',
    'core\t\t\t: 0',
    'package\t\t\t: 0',
    'core\t\t\t: 1',
  ])
})

t.test('s390x: the summary, its lines and the blocks all name the same CPUs', async t => {
  const host = fixture('s390x')
  const text = seen(t, host, '1-2')
  t.same(lines(text, '# processors', 'processor 0', 'processor 1', 'processor 2'), [
    '# processors    : 2',
    'processor 0: version = 00,  identification = 01D5D8,  machine = 2964',
    'processor 1: version = 00,  identification = 02D5D8,  machine = 2964',
  ])
  t.same(lines(text, 'cpu number', 'physical id', 'core id', 'address', 'siblings', 'cpu cores'), [
    'cpu number      : 0',
    'physical id     : 0',
    'core id         : 0',
    'address         : 1',
    'siblings        : 1',
    'cpu cores       : 1',
    'cpu number      : 1',
    'physical id     : 1',
    'core id         : 0',
    'address         : 2',
    'siblings        : 1',
    'cpu cores       : 1',
  ])
  t.match(text, /^vendor_id {7}: IBM\/S390\n/)
})

t.test('a CPU without a record gives its place to the next', async t => {
  const host = 'processor\t: 0\nid\t: 0\n\nprocessor\t: 2\nid\t: 2\n\nprocessor\t: 3\nid\t: 3\n\n'
  const text = seen(t, host, '0-3', {}, '200000 100000')
  t.equal(text, 'processor\t: 0\nid\t: 0\n\nprocessor\t: 1\nid\t: 2\n\n')
})

t.test('a record without a blank line behind it gets none', async t => {
  const host = 'processor\t: 0\nid\t: 0\n\nprocessor\t: 1\nid\t: 1\n'
  t.equal(seen(t, host, '1'), 'processor\t: 0\nid\t: 1\n')
})

t.test('a file without records is shown as it is', async t => {
  const host = 'cpu\t\t: TI UltraSparc II\nncpus active\t: 4\n'
  t.equal(seen(t, host, '1'), host)
})
