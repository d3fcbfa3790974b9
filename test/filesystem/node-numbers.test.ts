import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isNumbered, NodeNumbers } from '../../src/filesystem/node-numbers.ts'
import { parseNodeTable } from '../../src/filesystem/node-table.ts'
import { temporary } from '../kit/temporary.ts'

const CPU = 'sys/devices/system/cpu'
const PATHS = [
  `${CPU}/cpu0`,
  `${CPU}/cpu12/topology/core_id`,
  `${CPU}/cpu0/cache/index3/size`,
  `${CPU}/cpufreq/policy7/affected_cpus`,
  `${CPU}/cpufreq`,
  `${CPU}/cpu01/x`,
  `${CPU}/cpu16383/x`,
  `${CPU}/cpu99999/x`,
  `${CPU}/vulnerabilities/l1tf`,
  'sys/devices/system/node/node3/cpu7',
]

interface Opened {
  file: string
  reports: string[]
  numbers: NodeNumbers
  reopen: () => NodeNumbers
}

function open(t: Test, isUsed: (slot: number) => boolean = () => true): Opened {
  const file = join(temporary(t), 'nodes')
  const reports: string[] = []
  const reopen = () => new NodeNumbers(file, { report: text => void reports.push(text), isUsed })
  return { file, reports, numbers: reopen(), reopen }
}

t.test('a number stands for one path of one container, also in the next server', async t => {
  const { numbers, reopen, reports } = open(t)
  const nodes = [0, 5, 2 ** 44].flatMap(slot => PATHS.map(path => ({ slot, path })))
  const given = nodes.map(({ slot, path }) => numbers.numberOf(slot, path) ?? 0)
  t.equal(new Set(given).size, nodes.length)
  for (const each of [numbers, reopen()]) {
    nodes.forEach((node, i) => {
      const nodeid = given[i] ?? 0
      t.ok(isNumbered(nodeid) && nodeid < 2 ** 53)
      t.strictSame(each.find(nodeid), node)
      t.equal(each.slotOf(nodeid), node.slot)
      t.equal(each.numberOf(node.slot, node.path), nodeid)
    })
  }
  t.strictSame(reports, [])
})

t.test('however many CPUs there are the file has a line for each kind of path', async t => {
  const { numbers, file } = open(t)
  for (let cpu = 0; cpu < 1000; cpu++) numbers.numberOf(5, `${CPU}/cpu${cpu}/topology/core_id`)
  t.equal(readFileSync(file, 'utf8').split('\n').length, 5)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('the file has a number before anybody else has', async t => {
  const { numbers, reopen } = open(t)
  for (const path of PATHS) {
    const nodeid = numbers.numberOf(9, path) ?? 0
    t.strictSame(reopen().find(nodeid), { slot: 9, path })
  }
})

t.test('numbers that nobody has given stand for nothing', async t => {
  const { numbers } = open(t)
  const known = numbers.numberOf(5, `${CPU}/cpu1/online`) ?? 0
  for (const nodeid of [0, 1, 2 ** 52 + 300, known + 1, known + 2 ** 27, known + 2 ** 13 * 2 ** 14])
    t.equal(numbers.find(nodeid), undefined, `${nodeid}`)
  t.equal(numbers.find(2 ** 60), undefined)
  t.equal(numbers.find(Number.NaN), undefined)
  t.notOk(isNumbered(2 ** 44 * 256 + 255), 'the highest of tree.ts')
})

t.test('a line that was not written to its end is as none', async t => {
  const { numbers, file, reopen, reports } = open(t)
  const nodeid = numbers.numberOf(5, `${CPU}/cpu1/online`) ?? 0
  appendFileSync(file, `path ${CPU}/cp`)
  const next = reopen()
  t.strictSame(next.find(nodeid), { slot: 5, path: `${CPU}/cpu1/online` })
  const other = next.numberOf(6, `${CPU}/kernel_max`) ?? 0
  t.strictSame(reopen().find(other), { slot: 6, path: `${CPU}/kernel_max` })
  t.strictSame(reopen().find(nodeid), { slot: 5, path: `${CPU}/cpu1/online` })
  t.strictSame(reports, [])
})

t.test('a damaged or foreign file is told, and replaced by one with other numbers', async t => {
  const { numbers, file, reopen, reports } = open(t)
  const nodeid = numbers.numberOf(5, `${CPU}/cpu1/online`) ?? 0
  const good = readFileSync(file, 'utf8')
  const damages = [
    'lxcfs\n',
    '',
    '\0'.repeat(100),
    `${good}path ${CPU}/../../kernel\n`,
    `${good}path ${CPU}/cpu#/online\n`,
    `${good}path a#/b#\n`,
    `${good}path /etc/passwd\n`,
    `${good}view 7 5\n`,
    `${good}view 16777216 9\n`,
    `${good}view 7 99999999999999\n`,
    `${good}view 7 -1\n`,
    `${good}other 7\n`,
    good.replace('nodes 1', 'nodes 2'),
  ]
  for (const [i, damage] of damages.entries()) {
    writeFileSync(file, damage)
    const next = reopen()
    t.equal(reports.length, i + 1, JSON.stringify(damage.slice(-30)))
    t.match(reports[i], /cannot use .*nodes/)
    t.equal(next.find(nodeid), undefined, 'the numbers of before stand for nothing')
    const other = next.numberOf(5, `${CPU}/cpu1/online`) ?? 0
    t.not(other, nodeid)
    t.strictSame(reopen().find(other), { slot: 5, path: `${CPU}/cpu1/online` })
  }
})

t.test('where the file cannot be written no number is given, and that is told once', async t => {
  const { numbers, file, reopen, reports } = open(t)
  mkdirSync(file)
  const lost = reopen()
  t.equal(reports.length, 1, 'it is no file')
  t.equal(lost.numberOf(5, `${CPU}/cpu1`), undefined)
  t.equal(lost.numberOf(5, `${CPU}/cpu1`), undefined)
  t.equal(reports.length, 2)
  t.equal(numbers.numberOf(0, `${CPU}/cpu1`), undefined)
  rmSync(file, { recursive: true })
  const nodeid = numbers.numberOf(5, `${CPU}/cpu1`) ?? 0
  t.strictSame(reopen().find(nodeid), { slot: 5, path: `${CPU}/cpu1` }, 'it can be again')
})

t.test('a file that was lost or changed meanwhile is written anew', async t => {
  const { numbers, file, reopen } = open(t)
  const first = numbers.numberOf(5, `${CPU}/cpu1`) ?? 0
  for (const harm of [() => rmSync(file), () => truncateSync(file, 10), () => chmodSync(file, 0)]) {
    harm()
    const path = `${CPU}/name${harm}`.replace(/[^\w/]/g, '_')
    const nodeid = numbers.numberOf(5, path) ?? 0
    t.strictSame(reopen().find(nodeid), { slot: 5, path })
    t.strictSame(reopen().find(first), { slot: 5, path: `${CPU}/cpu1` })
  }
})

t.test('views that nobody has any more make room, and no number is given again', async t => {
  const { numbers, file, reopen } = open(t, slot => slot % 100 === 0)
  const given = new Map<number, number>()
  for (let slot = 1; slot <= 10_000; slot++) given.set(numbers.numberOf(slot, CPU) ?? 0, slot)
  t.equal(given.size, 10_000)
  t.ok(parseNodeTable(readFileSync(file, 'utf8')).slotByView.size < 4200)
  const next = reopen()
  for (const [nodeid, slot] of given) {
    const found = next.find(nodeid)
    if (found !== undefined) t.equal(found.slot, slot)
    if (slot % 100 === 0 && found === undefined) t.fail(`${slot} is lost`)
  }
  t.notOk(given.has(next.numberOf(20_001, CPU) ?? 0))
})
