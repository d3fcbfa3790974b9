import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { differences, renderDifferences } from '../../../src/command/terminal/differences.ts'
import { FILES } from '../../../src/proc/files.ts'
import { openCaptured } from '../../../src/view/captured.ts'

t.test('lines belong together by what they are about', async t => {
  t.strictSame(
    differences(
      'MemTotal:       100 kB\nMemFree:         50 kB\nActive(anon):     7 kB\n',
      'MemTotal:        20 kB\nMemFree:         50 kB\nActive(anon):     1 kB\n',
    ),
    [
      { host: 'MemTotal:       100 kB', container: 'MemTotal:        20 kB' },
      { host: 'Active(anon):     7 kB', container: 'Active(anon):     1 kB' },
    ],
  )
})

t.test('a CPU is compared with the same CPU', async t => {
  const host = 'processor\t: 0\ncpu cores\t: 2\n\nprocessor\t: 1\ncpu cores\t: 2\n\n'
  const container = 'processor\t: 0\ncpu cores\t: 1\n\n'
  t.strictSame(differences(host, container), [
    { host: 'cpu cores\t: 2', container: 'cpu cores\t: 1' },
    { host: 'processor\t: 1', container: undefined },
    { host: 'cpu cores\t: 2', container: undefined },
  ])
  t.strictSame(differences('cpu  4 0\ncpu0 2 0\ncpu1 2 0\n', 'cpu  1 0\ncpu0 1 0\n'), [
    { host: 'cpu  4 0', container: 'cpu  1 0' },
    { host: 'cpu0 2 0', container: 'cpu0 1 0' },
    { host: 'cpu1 2 0', container: undefined },
  ])
})

t.test('a device is found by its name', async t => {
  const host = '   8       0 sda 10 0\n   8      16 sdb 20 0\n'
  const container = '   8      16 sdb 5 0\n   8      32 sdc 1 0\n'
  t.strictSame(differences(host, container), [
    { host: '   8       0 sda 10 0', container: undefined },
    { host: '   8      16 sdb 20 0', container: '   8      16 sdb 5 0' },
    { host: undefined, container: '   8      32 sdc 1 0' },
  ])
})

t.test('files of one line', async t => {
  t.strictSame(differences('10000.00 78000.00\n', '5.00 4.00\n'), [
    { host: '10000.00 78000.00', container: '5.00 4.00' },
  ])
  t.strictSame(differences('0-7\n', '0-1\n'), [{ host: '0-7', container: '0-1' }])
  t.strictSame(differences('0-7\n', '0-7\n'), [])
  t.strictSame(differences('\n', '2-7\n'), [{ host: undefined, container: '2-7' }])
})

t.test('two columns', async t => {
  const found = differences('MemTotal: 100 kB\nold: 1\n', 'MemTotal: 20 kB\n')
  t.equal(
    renderDifferences(found, 43, false),
    'MemTotal: 100 kB     | MemTotal: 20 kB\nold: 1               |\n',
  )
  t.equal(
    renderDifferences(found.slice(0, 1), 23, false),
    'MemTotal:… | MemTotal:…\n',
    'what is too long is cut',
  )
})

t.test('many lines of one side are counted', async t => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => `cache${from + at} 1\n`).join('')
  t.equal(
    renderDifferences(differences(lines(0, 9), ''), 31, false),
    `${['cache0 1', 'cache1 1', 'cache2 1', 'cache3 1', '… 5 more lines'].map(text => `${text.padEnd(14)} |`).join('\n')}\n`,
  )
  t.equal(renderDifferences(differences(lines(0, 5), ''), 31, false).split('\n').length, 6)
  t.match(renderDifferences(differences('', lines(0, 9)), 40, false), / \| … 5 more lines\n$/)
})

t.test('nothing in a line steers the terminal', async t => {
  t.notMatch(renderDifferences([{ host: 'a\x1b[2J', container: 'b' }], 40, false), '\x1b')
})

const HOSTS = fileURLToPath(new URL('../../../fixtures/hosts', import.meta.url))

t.test('a captured machine', async t => {
  const folder = `${HOSTS}/debian-12-v2`
  const view = openCaptured(folder, 'web')
  const found = new Map(
    FILES.filter(({ path }) => view.hasHostFile(path)).map(({ path, render }) => [
      path as string,
      differences(readFileSync(`${folder}/${path}`, 'utf8'), render(view).toString()),
    ]),
  )
  t.match(found.get('proc/meminfo')?.[0], {
    host: /^MemTotal: /,
    container: /^MemTotal: +262144 kB$/,
  })
  t.strictSame(found.get('sys/devices/system/cpu/online'), [{ host: '0-3', container: '0-1' }])
  t.strictSame(found.get('sys/devices/system/cpu/possible'), [], 'stays as it is')
  for (const { host, container } of [...found.values()].flat()) {
    t.not(host, container)
  }
})
