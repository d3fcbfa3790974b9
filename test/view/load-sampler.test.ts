import t from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { renderLoad } from '../../src/proc/loadavg.ts'
import { LoadSampler } from '../../src/view/load-sampler.ts'
import { Machine, machine } from '../machines/machine.ts'

const CTR = 'sys/fs/cgroup/ctr'
const tasks = (host: Machine) =>
  new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/ctr')

function machineOf(t: Parameters<typeof machine>[0], states: string): Machine {
  const host = machine(t, {})
  setThreads(host, states)
  return host
}

/** Threads 100, 101, ... of the container's own cgroup, a letter for the state of each. */
function setThreads(host: Machine, states: string): void {
  host.set(threads(100, states))
  host.set({ [`${CTR}/cgroup.threads`]: tids(100, states.length) })
}

const tids = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${first + i}\n`).join('')

const threads = (first: number, states: string) =>
  Object.fromEntries(
    [...states].map((state, i) => [`proc/${first + i}/stat`, `${first + i} (x) ${state} 1 2\n`]),
  )

const averages = (sampler: LoadSampler) => {
  const load = sampler.load()
  return load === undefined ? undefined : renderLoad(load).split(' ', 3).join(' ')
}

t.test('the first read tells the threads, with loads of 0', async t => {
  const host = machineOf(t, 'RRRDSSZ')
  t.same(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    loads: [0, 0, 0],
    running: 3,
    blocked: 1,
    threads: 7,
    lastPid: 1,
  })
})

t.test('two running threads load as the kernel has it', async t => {
  const host = machineOf(t, 'RRS')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.equal(averages(sampler), '0.00 0.00 0.00')
  host.clock.advance(5)
  t.equal(averages(sampler), '0.16 0.03 0.01')
  host.clock.advance(5)
  t.equal(averages(sampler), '0.31 0.07 0.02')
  for (let i = 2; i < 12; i++) {
    host.clock.advance(5)
    sampler.tick()
  }
  t.equal(averages(sampler), '1.27 0.37 0.13')
  setThreads(host, 'SSS')
  host.clock.advance(60)
  t.equal(averages(sampler), '0.46 0.30 0.12', 'a gap is caught up with')
})

t.test('blocked threads load, but do not run', async t => {
  const host = machineOf(t, 'DDD')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.load()
  host.clock.advance(5)
  const load = sampler.load()
  t.match(load, { running: 0, blocked: 3, threads: 3 })
  t.equal(load && renderLoad(load), '0.24 0.05 0.02 1/3 1\n')
})

t.test('idle kernel threads and stopped ones are no load', async t => {
  const host = machineOf(t, 'ITtXW')
  t.match(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    running: 0,
    blocked: 0,
    threads: 5,
  })
})

t.test('frozen threads are no load, by v1', async t => {
  const host = machineOf(t, 'DDD')
  const state = 'sys/fs/cgroup/freezer/ctr/freezer.state'
  const freezer = new Group(host, { version: 1, mountPoint: 'sys/fs/cgroup/freezer' }, '/ctr')
  host.set({ [state]: 'FROZEN\n' })
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer }))
  t.match(sampler.load(), { running: 0, blocked: 0, threads: 3 })
  host.set({ [state]: 'THAWED\n' })
  host.clock.advance(5)
  t.match(sampler.load(), { running: 0, blocked: 3, threads: 3 })
  host.set({ [state]: 'FREEZING\n' })
  host.clock.advance(5)
  t.match(sampler.load(), { blocked: 3 }, 'some of them still run')
})

t.test('threads of frozen cgroups below are no load, by v1', async t => {
  const host = machineOf(t, 'DDDDDDRR')
  const mountPoint = 'sys/fs/cgroup/freezer'
  const freezer = new Group(host, { version: 1, mountPoint }, '/ctr')
  const paths = [
    '/ctr',
    '/ctr/cold',
    '/ctr/cold/below',
    '/ctr/warm',
    '/ctrl',
    '/ctr/gone',
    '/ctr',
    '/ctr/cold',
  ]
  paths.forEach((path, i) => {
    host.set({ [`proc/${100 + i}/cgroup`]: `3:pids:/ctr\n2:freezer:${path}\n` })
  })
  const state = (path: string, text: string) =>
    host.set({ [`${mountPoint}${path}/freezer.state`]: `${text}\n` })
  state('/ctr', 'THAWED')
  state('/ctr/cold', 'FROZEN')
  state('/ctr/cold/below', 'FROZEN')
  state('/ctr/warm', 'FREEZING')
  state('/ctrl', 'FROZEN')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer }))
  t.match(sampler.load(), { running: 1, blocked: 4, threads: 8 })
  state('/ctr/cold', 'THAWED')
  host.clock.advance(5)
  t.match(sampler.load(), { running: 2, blocked: 5 }, 'each count asks again')
})

t.test('frozen threads are not counted again, by v2', async t => {
  const host = machineOf(t, 'RSS')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.match(sampler.load(), { running: 1, threads: 3 })
  host.set({ [`${CTR}/cgroup.events`]: 'populated 1\nfrozen 1\n' })
  setThreads(host, 'RRRRR')
  host.clock.advance(5)
  t.match(sampler.load(), { running: 0, blocked: 0, threads: 3 })
  host.set({ [`${CTR}/cgroup.events`]: 'populated 1\nfrozen 0\n' })
  host.clock.advance(5)
  t.match(sampler.load(), { running: 5, threads: 5 })
})

t.test('a command name may look like a state', async t => {
  const host = machineOf(t, 'SS')
  host.set({
    'proc/100/stat': '100 (tmux: server) R) D) S 1 2\n',
    'proc/101/stat': '101 () R) R 1',
  })
  t.match(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    running: 1,
    blocked: 0,
  })
})

t.test('a thread is asked about itself where it can be', async t => {
  const host = machineOf(t, 'SS')
  host.set({ 'proc/101/task/101/stat': '101 (x) R 1\n' })
  t.match(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    running: 1,
    threads: 2,
  })
})

t.test('threads of cgroups below count, however deep', async t => {
  const host = machineOf(t, 'S')
  host.set(threads(200, 'R'))
  host.set({ [`${CTR}/a/b/c/d/e/cgroup.threads`]: '200\n', [`${CTR}/a/cgroup.threads`]: '' })
  t.match(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    running: 1,
    threads: 2,
  })
})

t.test('v1 lists its threads in tasks', async t => {
  const host = machine(t, threads(7, 'RS'))
  host.set({ 'sys/fs/cgroup/pids/ctr/tasks': '7\n', 'sys/fs/cgroup/pids/ctr/below/tasks': '8\n' })
  const group = new Group(host, { version: 1, mountPoint: 'sys/fs/cgroup/pids' }, '/ctr')
  t.match(new LoadSampler(host, () => ({ tasks: group, freezer: undefined })).load(), {
    running: 1,
    threads: 2,
  })
})

t.test('what is listed twice, has ended or is out of sight does not count', async t => {
  const host = machineOf(t, 'R')
  host.set({ [`${CTR}/cgroup.threads`]: '100\n0\n100\n999\nx\n\n-5' })
  t.match(new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined })).load(), {
    running: 1,
    threads: 1,
  })
})

t.test('the last pid is as the container numbers it, and never falls', async t => {
  const host = machineOf(t, 'SSSSSS')
  host.set({
    'proc/100/status': 'Name:\tx\nNSpid:\t100\t900\n',
    'proc/102/status': 'Name:\tx\nNSpid:\t102\t17\nNSpgid:\t55\t66\n',
    'proc/105/status': 'Name:\tx\nNSpid:\t105\t3\t9\nNSpgid:\t55\t66\n',
  })
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.equal(sampler.load()?.lastPid, 17, 'the oldest are not asked')
  host.set({ 'proc/102/status': undefined })
  host.clock.advance(5)
  t.equal(sampler.load()?.lastPid, 17)
  setThreads(host, 'SSSSSSS')
  host.set({ 'proc/106/status': 'NSpid:\t106\n' })
  host.clock.advance(5)
  t.equal(sampler.load()?.lastPid, 106)
})

t.test('a cgroup that cannot be read leaves the load unknown', async t => {
  const host = machine(t, {})
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.equal(sampler.load(), undefined)
  setThreads(host, 'R')
  host.clock.advance(0.9)
  t.equal(sampler.load(), undefined, 'it is not asked at each read')
  host.clock.advance(0.1)
  t.match(sampler.load(), { running: 1 })
})

t.test('a count that fails leaves the one before', async t => {
  const host = machineOf(t, 'RR')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.load()
  host.set({ [`${CTR}/cgroup.threads`]: undefined })
  host.clock.advance(5)
  t.equal(averages(sampler), '0.16 0.03 0.01')
  t.match(sampler.load(), { running: 2, threads: 2 })
})

/** A machine on which each look at a thread takes 30 microseconds. */
class SlowMachine extends Machine {
  looks = 0
  statuses = 0

  override tryRead(path: string, mostBytes?: number): string | undefined {
    if (path.endsWith('/status')) this.statuses++
    if (path.endsWith('/stat')) {
      this.looks++
      this.clock.usec += 15
    }
    return super.tryRead(path, mostBytes)
  }
}

const slowMachine = (t: Parameters<typeof machine>[0], count: number) => {
  const { directory, clock } = machine(t, {})
  const host = new SlowMachine(directory, clock)
  // Every fourth thread runs.
  for (let i = 0; i < count; i++) host.set(threads(100 + i, i % 4 === 0 ? 'R' : 'S'))
  host.set({ [`${CTR}/cgroup.threads`]: tids(100, count) })
  return host
}

t.test('a reader waits for no more than a slice of a long count', async t => {
  const host = slowMachine(t, 1000)
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  const startUsec = host.clock.usec
  const first = sampler.load()
  t.ok(host.clock.usec - startUsec <= 2100, `it took ${host.clock.usec - startUsec} us`)
  t.match(first, { threads: 1000 })
  t.ok(Math.abs((first?.running ?? 0) - 250) <= 10, `${first?.running} are estimated to run`)
  const { looks } = host
  for (let i = 0; i < 100; i++) sampler.load()
  t.equal(host.looks, looks, 'further readers count nothing')
})

t.test('a long count goes on in slices, and counts all in the end', async t => {
  const host = slowMachine(t, 1000)
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.load()
  let slices = 0
  for (; (sampler.dueUsec ?? 0) <= host.clock.usec; slices++) {
    const untilUsec = host.clock.usec + 2000
    sampler.tick(untilUsec)
    t.ok(host.clock.usec <= untilUsec + 30)
  }
  t.ok(slices >= 10, `${slices} slices`)
  t.match(sampler.load(), { running: 250, threads: 1000 })
  t.equal(averages(sampler), '0.00 0.00 0.00', 'the first count is none of the averages yet')
  host.clock.advance(5)
  while ((sampler.dueUsec ?? 0) <= host.clock.usec) sampler.tick(host.clock.usec + 2000)
  t.equal(averages(sampler), '20.02 4.15 1.34')
})

t.test('20 000 threads are counted, and those beyond are left out', async t => {
  const host = machineOf(t, 'RR')
  host.set({ [`${CTR}/a/cgroup.threads`]: tids(1000, 30_000), [`${CTR}/b/cgroup.threads`]: '5\n' })
  let asked = 0
  const tryRead = host.tryRead.bind(host)
  host.tryRead = (path: string, mostBytes?: number) => {
    if (/^proc\/\d+\/stat$/.test(path)) asked++
    return path.startsWith('proc/1') ? tryRead(path, mostBytes) : undefined
  }
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.match(sampler.load(), { running: 2, threads: 2 })
  t.equal(asked, 20_000)
})

t.test('reads within a second count once, and the averages keep to their grid', async t => {
  const host = machineOf(t, 'R')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.load()
  setThreads(host, 'RRRD')
  host.clock.advance(0.9)
  t.match(sampler.load(), { running: 1, loads: [0, 0, 0] })
  host.clock.advance(0.1)
  t.match(sampler.threads(), { running: 3, blocked: 1 })
  t.match(sampler.load(), { loads: [0, 0, 0] }, 'no period is over')
  host.clock.advance(4)
  t.equal(averages(sampler), '0.32 0.07 0.02')
})

t.test('what shows no pid reads no status, and a pid is read once', async t => {
  const { directory, clock } = machineOf(t, 'RRSS')
  const host = new SlowMachine(directory, clock)
  host.set({ 'proc/103/status': 'NSpid:\t103\t9\n' })
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.threads()
  t.same([host.looks, host.statuses], [8, 0], 'two looks where there is no task directory')
  t.match(sampler.load(), { lastPid: 9 })
  t.same([host.looks, host.statuses], [8, 4])
  host.clock.advance(1)
  sampler.load()
  t.same([host.looks, host.statuses], [16, 4])
  setThreads(host, 'RRSSS')
  host.clock.advance(1)
  sampler.load()
  t.same([host.looks, host.statuses], [26, 5])
})

t.test('thousands of threads are not counted anew every second', async t => {
  const host = slowMachine(t, 1000)
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  const count = () => {
    sampler.threads()
    while ((sampler.dueUsec ?? 0) <= host.clock.usec) sampler.tick(host.clock.usec + 2000)
  }
  count()
  const { looks } = host
  host.clock.advance(1.2)
  count()
  t.equal(host.looks, looks, '30 ms have to be 2 % of the time')
  host.clock.advance(0.4)
  count()
  t.equal(host.looks, 2 * looks)
})

t.test('ticks keep to the grid that the first read began', async t => {
  const host = machineOf(t, 'RR')
  const start = host.clock.usec
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  t.equal(sampler.tick(), undefined, 'nobody has read')
  sampler.load()
  t.equal(sampler.tick(), start + 5e6)
  host.clock.advance(5.3)
  t.equal(sampler.tick(), start + 10e6)
  t.equal(averages(sampler), '0.16 0.03 0.01')
  host.clock.advance(4.6)
  t.equal(sampler.tick(), start + 10e6, 'too early')
  t.equal(averages(sampler), '0.16 0.03 0.01')
  host.clock.advance(0.1)
  t.equal(sampler.tick(), start + 15e6)
  t.equal(averages(sampler), '0.31 0.07 0.02')
})

t.test('what nobody reads is not sampled until somebody does', async t => {
  const host = machineOf(t, 'RR')
  const sampler = new LoadSampler(host, () => ({ tasks: tasks(host), freezer: undefined }))
  sampler.load()
  host.clock.advance(600)
  t.type(sampler.tick(), 'number')
  host.clock.advance(1)
  t.equal(sampler.tick(), undefined)
  setThreads(host, 'SSS')
  host.clock.advance(3600)
  t.equal(averages(sampler), '0.00 0.00 0.00', '720 periods of doing nothing')
  t.match(sampler.load(), { running: 0, threads: 3 })
  t.type(sampler.tick(), 'number')
})
