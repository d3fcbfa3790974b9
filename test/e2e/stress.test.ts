/** A container under load whose limits change every second, while programs in it read all the time. */

import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { cgroupsOf } from '../kit/cgroups.ts'
import { BOUND } from '../kit/files.ts'
import { bindMount } from '../kit/runc-config.ts'
import { site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { EXPORTER, Exporter } from './clients/exporter.ts'
import { NODE, needsFiles } from './clients/limited.ts'
import { checkTop, ExporterCheck, PsutilCheck } from './stress/clients.ts'
import { Changes, stepAt } from './stress/limits.ts'
import { SampleCheck } from './stress/sample.ts'

const SECONDS = size({ short: 10, long: 60 })
/** For what was started and what ends a little later, on a slow machine too. */
const SPARE_SECONDS = 60
const MiB = 2 ** 20

const programs =
  cpus().length < 2
    ? { skip: 'needs two CPUs' }
    : needsFiles({
        '/usr/bin/stress-ng': 'stress-ng',
        '/usr/lib/python3/dist-packages/psutil/__init__.py': 'python3-psutil',
        '/usr/bin/top': 'procps',
        [EXPORTER]: 'prometheus-node-exporter',
      })

t.test(
  'a container under load with changing limits',
  {
    ...programs,
    timeout: (SECONDS + 2 * SPARE_SECONDS) * 1000,
  },
  async t => {
    const box = await started(t, site(t), 'stress', {
      memoryBytes: stepAt(0).memoryMib * MiB,
      hostPrograms: true,
      mounts: [bindMount(process.execPath, NODE)],
    })
    const changes = new Changes(box)
    const samples = new SampleCheck(BOUND, changes)
    const psutil = new PsutilCheck()
    const scrapes = new ExporterCheck()
    const exporter = await Exporter.start(box)
    for (const name of ['sampler.cjs', 'psutil_sampler.py']) {
      const source = fileURLToPath(new URL(`stress/${name}`, import.meta.url))
      copyFileSync(source, join(box.bundle, 'rootfs/tmp', name))
    }

    const endMs = Date.now() + SECONDS * 1000
    const [top] = await Promise.all([
      // Below a shell: runc passes on the SIGURG by which Go schedules, and top ends at any signal it does not know.
      run(t, box, 'sh', '-c', `top -b -d 1 -n ${SECONDS}; exit $?`),
      run(t, box, 'stress-ng', '--cpu', '2', '--vm', '1', '--vm-bytes', '64M', '-t', `${SECONDS}s`),
      eachLine(t, box, [NODE, '/tmp/sampler.cjs', String(SECONDS), ...BOUND], line =>
        samples.add(JSON.parse(line)),
      ),
      eachLine(t, box, ['/usr/bin/python3', '/tmp/psutil_sampler.py', String(SECONDS)], line =>
        psutil.add(JSON.parse(line)),
      ),
      everySecond(endMs, i => changes.to(stepAt(i))),
      everySecond(endMs, async () => scrapes.add(await exporter.scrape())),
    ])

    t.comment(
      `${samples.count} samples of ${BOUND.length} files, ${samples.steady} at known limits`,
    )
    t.comment(`${changes.count} changes of limits, a CPU came back ${samples.returned / 10} times`)
    t.comment(`${psutil.count} readings by psutil, ${scrapes.count} scrapes`)
    t.strictSame(samples.failures.slice(0, 20), [], 'every sample holds')
    t.ok(samples.count > SECONDS * 3, 'enough of them')
    t.ok(samples.steady > samples.count / 4, 'enough of them while nothing changed')
    t.ok(samples.returned > 0, 'CPUs disappeared and came back')

    const { screens, failures } = checkTop(top)
    t.ok(screens > SECONDS / 2, `${screens} screens of top`)
    t.strictSame(failures, [], 'top')
    t.ok(psutil.count > SECONDS / 3)
    t.strictSame(psutil.failures, [], 'psutil')
    t.ok(scrapes.count > SECONDS / 3)
    t.strictSame(scrapes.failures, [], 'node_exporter')
    t.ok(scrapes.counters.returned > 0, 'a CPU of node_exporter went on where it had been')
    // It hides what falls, but says so.
    t.notMatch(await box.cat('/tmp/exporter.log'), /jumped backwards|collector failed/)

    const usedSeconds = readUsage(await box.pid())
    const stat = await box.cat('/proc/stat')
    const [user = 0, nice = 0, system = 0] =
      stat.split('\n')[0]?.split(/ +/).slice(1).map(Number) ?? []
    const shownSeconds = (user + nice + system) / 100
    t.ok(
      Math.abs(shownSeconds - usedSeconds) < 1 + usedSeconds / 20,
      `${shownSeconds} s of ${usedSeconds}`,
    )
  },
)

function start(t: Test, box: Box, command: readonly string[]) {
  const [program = '', ...args] = [...box.inside, ...command]
  const child = execa(program, args, {
    stdin: 'ignore',
    timeout: (SECONDS + SPARE_SECONDS) * 1000,
    buffer: command[0] === 'sh',
    maxBuffer: 2 ** 27,
  })
  t.teardown(() => child.kill())
  return child
}

async function run(t: Test, box: Box, ...command: string[]): Promise<string> {
  const { stdout } = await start(t, box, command)
  return typeof stdout === 'string' ? stdout : ''
}

/** Reads as it goes: all of it would be hundreds of megabytes. */
async function eachLine(
  t: Test,
  box: Box,
  command: readonly string[],
  take: (line: string) => void,
): Promise<void> {
  const child = start(t, box, command)
  for await (const line of createInterface({ input: child.stdout })) take(line)
  await child
}

async function everySecond(endMs: number, action: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; Date.now() < endMs; i++) {
    const nextMs = Date.now() + 1000
    await action(i)
    await sleep(Math.max(nextMs - Date.now(), 0))
  }
}

/**
 * CPU seconds of the container, as its cgroup counts them. On v1 those of each CPU: they are sampled at ticks, the sum
 * in cpuacct.usage is not, and the two are some percent apart where a quota stops the same moment again and again.
 */
function readUsage(pid: number): number {
  const directories = cgroupsOf(pid)
  const v1 = directories.find(path => existsSync(`${path}/cpuacct.usage_all`))
  if (v1 !== undefined) {
    const [, ...lines] = readFileSync(`${v1}/cpuacct.usage_all`, 'utf8').trim().split('\n')
    const spent = lines.flatMap(line => line.split(' ').slice(1).map(Number))
    return spent.reduce((sum, ns) => sum + ns, 0) / 1e9
  }
  const v2 = directories.find(path => existsSync(`${path}/cpu.stat`))
  if (v2 === undefined) throw new Error(`Cannot find the CPU usage of ${pid}`)
  return Number(/^usage_usec (\d+)$/m.exec(readFileSync(`${v2}/cpu.stat`, 'utf8'))?.[1]) / 1e6
}
