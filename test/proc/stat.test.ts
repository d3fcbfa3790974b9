import t from 'tap'
import { bytesOf } from '../../src/host/directory-file.ts'
import { NO_TIME } from '../../src/proc/cpu/time.ts'
import { limitStat as limitBytes, parseHostCpus, renderStat } from '../../src/proc/stat.ts'
import type { View } from '../../src/proc/view.ts'
import { toCpuTimes } from '../machines/cpu-times.ts'

const HOST_REST = `intr 2609465 0 0 7
ctxt 6685310
btime 1795412392
processes 22328
procs_running 5
procs_blocked 2
softirq 381933 0 42233 7 14368 128696 0 3 106338 0 90288
`
const HOST = `cpu  12762 0 23082 318565 1 0 0 15 0 0
cpu0 5053 0 10993 161330 1 0 0 9 0 0
cpu1 7709 0 12089 157235 0 0 0 6 0 0
${HOST_REST}`

const seconds = (user: number, system: number, idle: number, steal = 0) => ({
  ...NO_TIME,
  userUsec: user * 1e6,
  systemUsec: system * 1e6,
  idleUsec: idle * 1e6,
  stealUsec: steal * 1e6,
})
const limitStat = (
  host: string,
  ...others: Parameters<typeof limitBytes> extends [unknown, ...infer Others] ? Others : never
) => limitBytes(bytesOf(host), ...others).toString()

const TIMES = toCpuTimes({
  total: seconds(30, 10, 160),
  cpus: [seconds(15, 5, 80), seconds(15, 5, 80)],
})
const CPU_LINES = `cpu  3000 0 1000 16000 0 0 0 0 0 0
cpu0 1500 0 500 8000 0 0 0 0 0 0
cpu1 1500 0 500 8000 0 0 0 0 0 0
`

t.test("the cpu lines and the tasks are the container's, the rest is the host's", async t => {
  const view: Partial<View> = {
    hostText: path => ({ ...bytesOf(path === 'proc/stat' ? HOST : ''), version: 1 }),
    bootOffsetUsec: () => 0,
    cpuTimes: () => TIMES,
    threads: () => ({ running: 3, blocked: 1 }),
  }
  t.equal(
    renderStat(view as View).toString(),
    CPU_LINES +
      HOST_REST.replace('procs_running 5', 'procs_running 3').replace(
        'procs_blocked 2',
        'procs_blocked 1',
      ),
  )
})

t.test('whoever reads is running', async t => {
  const text = limitStat(HOST, TIMES, { running: 0, blocked: 0 })
  t.match(text, /^procs_running 1$/m)
  t.match(text, /^procs_blocked 0$/m)
})

t.test("unknown tasks are the host's", async t => {
  t.equal(limitStat(HOST, TIMES, undefined), CPU_LINES + HOST_REST)
})

t.test('lines of a later kernel stay, those of an older one are not made up', async t => {
  const load = { running: 3, blocked: 1 }
  t.equal(limitStat('cpu  1 2\ncpu0 1 2\nfuture 9 9\n', TIMES, load), `${CPU_LINES}future 9 9\n`)
  t.equal(limitStat('cpu  1 2', TIMES, load), CPU_LINES)
  t.equal(limitStat('procs_running 9', TIMES, load), `${CPU_LINES}procs_running 3\n`)
})

t.test('a host file without its last newline gets one', async t => {
  t.equal(limitStat(HOST.trimEnd(), TIMES, undefined), CPU_LINES + HOST_REST)
})

t.test('a time namespace moves the boot time', async t => {
  t.match(limitStat(HOST, TIMES, undefined, 1000), /^btime 1795411392$/m)
})

t.test('a boot time before 1970 is 2^64 more, as the kernel writes it', async t => {
  const moved = (btime: string, seconds: number) =>
    /^btime .*$/m.exec(limitStat(`btime ${btime}\n`, TIMES, undefined, seconds))?.[0]
  t.equal(moved('18446744073709551613', 0), 'btime 18446744073709551613')
  t.equal(moved('18446744073709551613', 1000), 'btime 18446744073709550613')
  t.equal(moved('18446744073709551613', -1000), 'btime 997')
  t.equal(moved('5', 1000), 'btime 18446744073709550621')
  t.equal(moved('9007199254740993', 10), 'btime 9007199254740983')
  t.equal(moved('-5', 1000), 'btime 0', 'no number of the kernel')
})

t.test('steal is the eighth number', async t => {
  const times = toCpuTimes({ total: seconds(4, 1, 100, 5), cpus: [seconds(4, 1, 100, 5)] })
  t.match(limitStat(HOST, times, undefined), /^cpu0 400 0 100 10000 0 0 0 500 0 0$/m)
})

t.test('the cpu lines of a host are its CPUs by number', async t => {
  const cpus = parseHostCpus(`cpu  9 9 9 9 9 9 9 9 9 9
cpu0 1 2 3 4 5 6 7 8 9 10
cpu7 100 0 0 0 0 0 0 0 0 0
intr 5
cpu8 1 1 1 1 1 1 1 1 1 1
`)
  t.same([...cpus.keys()], [0, 7])
  t.same(cpus.get(0), {
    userUsec: 10_000,
    niceUsec: 20_000,
    systemUsec: 30_000,
    idleUsec: 40_000,
    iowaitUsec: 50_000,
    irqUsec: 60_000,
    softirqUsec: 70_000,
    stealUsec: 80_000,
    guestUsec: 90_000,
    guestNiceUsec: 100_000,
  })
})

t.test('columns that a kernel does not have, or damaged ones, are 0', async t => {
  const cpus = parseHostCpus('cpu  1 2 3 4\ncpu0 1 2 x 4 ')
  t.same(cpus.get(0), { ...NO_TIME, userUsec: 10_000, niceUsec: 20_000, idleUsec: 40_000 })
  t.equal(parseHostCpus('').size, 0)
  const [time] = parseHostCpus('cpu0 Infinity 2 1e400 4\n').values()
  t.match(time, { userUsec: 0, niceUsec: 20_000, systemUsec: 0, idleUsec: 40_000 })
  t.equal(parseHostCpus(`cpu${'9'.repeat(400)} 1 2 3 4\n`).size, 0, 'no number of a CPU')
})
